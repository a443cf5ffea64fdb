"""Root file systems: made once for each Debian release, kept under build/, never written to afterwards."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "acceptance"
BARE = ("systemd-sysv", "dbus", "passwd", "git", "make", "python3", "python3-venv")
"""A system that boots, with what a fresh clone needs."""
DOWNLOADED = ("chromium-headless-shell", "fonts-dejavu-core")
"""Packages that `make test` downloads there."""
SERVER = (
    # What makes it a system that boots, with what an administrator has at hand.
    *("systemd-sysv", "dbus", "libpam-systemd", "sudo", "less", "man-db"),
    # What is there where a Mastodon server is.
    *(
        "postgresql",
        "postfix",
        "sasl2-bin",
        "libsasl2-modules",
        "nginx",
        "curl",
        "git",
        "python3",
        "ca-certificates",
        "openssl",
    ),
    "tzdata",
)
COMPARED = (
    *("redis-server", "systemd-resolved", "chrony", "fwupd", "prometheus-node-exporter", "certbot", "nginx-common"),
    *("postgresql-common", "unattended-upgrades"),
)
"""Packages whose units are shown beside ours; they are unpacked in a corner, not installed."""


def image(release: str, kind: str = "server") -> Path:
    """Return the root file system of this kind, `server` or `bare`; make it if there is none of the present recipe."""
    packages, arguments = (SERVER, COMPARED) if kind == "server" else (BARE, DOWNLOADED)
    script = HERE / "inside" / f"{kind}.sh"
    recipe = repr((packages, arguments, script.read_text()))
    name = f"{release}-{kind}"
    root = BUILD / "images" / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    with _alone(name):
        if not root.exists():
            for former in BUILD.glob(f"images/{name}-*"):
                shutil.rmtree(former)
            half = root.with_suffix(".half")
            _make(release, packages, f"{script} {' '.join(arguments)}", half)
            half.rename(root)
    return root


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Let others who want the same image wait until it is made."""
    (BUILD / "images").mkdir(parents=True, exist_ok=True)
    with (BUILD / f"images/.{name}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(release: str, packages: tuple[str, ...], script: str, root: Path) -> None:
    file, _, arguments = script.partition(" ")
    command = [
        *("mmdebstrap", "--quiet", "--variant=apt", "--mode=root", "--components=main"),
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "info")),
        f"--include={','.join(packages)}",
        # While the lists of packages are still there: units to compare with.
        f'--customize-hook=chroot "$1" sh -eu -s {arguments} < "{file}"',
        *(release, str(root), _mirror()),
    ]
    with tempfile.NamedTemporaryFile("w") as options:  # a file, readable by root alone: proxies may have passwords
        options.writelines(f"{option};\n" for option in _apt_options())
        options.flush()
        command.insert(1, f"--aptopt={options.name}")
        subprocess.run(command, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})


def _mirror() -> str:
    """Return the mirror from which this machine's apt has Debian itself."""
    listed = _ask("apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages")
    for line in listed.splitlines():
        origin, label, uri = line.split("|", 2)
        if (origin, label) == ("Debian", "Debian"):
            return uri
    raise RuntimeError("this machine's apt knows no Debian mirror (run apt-get update)")


def _apt_options() -> list[str]:
    """Return this machine's apt settings about mirrors: proxies, and the permitted age of lists."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::ForceIPv4", "Acquire::Retries")
    dumped = _ask("apt-config", "dump", "--format", "%F %v%n").splitlines()
    named = (line.split(" ", 1) for line in dumped if line.startswith(wanted))
    return [f'{name} "{value}"' for name, value in named if value]


def _ask(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
