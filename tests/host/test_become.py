"""Becoming the service, in processes of their own: only root can, and only where it may mount is the view its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = """
import json, os, sys
from pathlib import Path
from mastodon_update_check.host import become
from mastodon_update_check.host.names import Place
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.host.unit_view import read_view

base = Path(sys.argv[1])
become.STATE, become.CREDENTIALS = base / "state", base / "credentials"
service = become.Service(place=Place(), view=read_view(sys.stdin.read()))
become.become(service, os.environ, lambda argv, stdin: Finished(code=0, out=(base / "unit").read_text()))
credentials = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere"))
(base / "state/muc/ours").touch()
print(json.dumps({
    "ids": [*os.getresuid(), *os.getresgid()],
    "groups": os.getgroups(),
    "umask": os.umask(0),
    "home": os.environ["HOME"],
    "state": os.environ["STATE_DIRECTORY"],
    "given": os.environ["GIVEN"],
    "kept": os.environ["KEPT"],
    "postgresql": [name for name in os.environ if name.startswith("PG")],
    "tree": sorted(path.name for path in (base / "home").rglob("*")),
    "secrets": {path.name: path.read_text() for path in credentials.iterdir()} if credentials.is_dir() else {},
}))
"""


def prepare(base: Path) -> str:
    """Make a host that nobody may look into; return what systemd says of the unit."""
    live = base / "home" / "live"
    for directory in (live / "lib", live / "config", base / "state", base / "credentials", base / "secrets"):
        directory.mkdir(parents=True)
    (live / ".env.production").write_text("SECRET_KEY_BASE=x\n")
    (live / "lib" / "version.rb").touch()
    (base / "home").chmod(0o700)
    (base / "secrets" / "smtp").write_text("secret\n")
    (base / "secrets" / "smtp").chmod(0o600)
    (base / "unit").write_text(f"LoadCredential=smtp_password:{base}/secrets/smtp\nLoadCredential=missing:/nowhere\n")
    state = base / "state"
    return (
        "LoadState=loaded\nUser=nobody\nSupplementaryGroups=33\nStateDirectory=muc\nEnvironment=GIVEN=unit KEPT=unit\n"
        f"TemporaryFileSystem={base}/home:ro\nBindReadOnlyPaths=-{live}/lib:{live}/lib:rbind -{live}/nowhere\n"
        f"BindPaths={state}:{state}\n"
    )


def run(base: Path, shown: str) -> subprocess.CompletedProcess[str]:
    """Become the service in a process of its own."""
    environment = {"PATH": os.environ["PATH"], "KEPT": "shell", "PGPASSWORD": "root's", "PGHOST": "root's"}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(base)],
        input=shown,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_become() -> None:
    """The process is the service's for good: ids, state, secrets, and of the tree the version and nothing beside it."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own directories let nobody pass
        base = Path(name)
        base.chmod(0o755)
        done = run(base, prepare(base))
        if os.getuid() != 0:
            assert "Operation not permitted" in done.stderr
            return
        answer = json.loads(done.stdout)
        assert [65534] * 6 == answer["ids"]
        assert {33, 65534} == set(answer["groups"])
        assert (0o077, "unit", "shell") == (answer["umask"], answer["given"], answer["kept"])
        assert (f"{base}/state/muc", []) == (answer["state"], answer["postgresql"])
        assert 65534 == (base / "state" / "muc" / "ours").stat().st_uid
        if "cannot see the files as" not in done.stderr:
            assert ["lib", "live", "version.rb"] == answer["tree"]
            assert {"smtp_password": "secret\n"} == answer["secrets"]
        assert [] == list((base / "credentials").iterdir())


def test_user_that_does_not_exist(tmp_path: Path) -> None:
    """A unit whose user is missing is said to be so."""
    done = run(tmp_path, "LoadState=loaded\nUser=nobody-at-all\n")
    assert "runs as a user or in a group that does not exist" in done.stderr
