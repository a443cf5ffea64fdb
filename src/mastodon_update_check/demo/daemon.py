"""The daemon of the demonstration, with settings and a Mastodon tree in a temporary directory."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTANCE = "social.example"
_SECONDS_TO_STOP = 12


def install(root: Path, version: str) -> None:
    """Write the version file of a Mastodon tree."""
    path = root / "lib" / "mastodon" / "version.rb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"module Mastodon::Version\n  def to_s = '{version}'\nend\n")


def write_settings(directory: Path, recipients: str, update_url: str, smtp_port: int) -> Path:
    """Write the daemon's settings; return their file."""
    settings = {
        "LOCAL_DOMAIN": INSTANCE,
        "SMTP_SERVER": "127.0.0.1",
        "SMTP_PORT": smtp_port,
        "SMTP_FROM_ADDRESS": f"notifications@{INSTANCE}",
        "UPDATE_CHECK_INSTANCE_URL": "",
        "UPDATE_CHECK_INTERVAL": "1s",
        "UPDATE_CHECK_JITTER": "0",
        "UPDATE_CHECK_LEDGER": directory / "ledger.sqlite3",
        "UPDATE_CHECK_LOG_FORMAT": "console",
        "UPDATE_CHECK_MASTODON_ENV_FILE": "/dev/null",
        "UPDATE_CHECK_MASTODON_ROOT": directory / "live",
        "UPDATE_CHECK_PAGE_FILE": directory / "page" / "index.html",
        "UPDATE_CHECK_RECIPIENTS": recipients,
        "UPDATE_CHECK_SINKS": "email",
        "UPDATE_CHECK_URL": update_url,
    }
    file = directory / "config.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    (directory / "page").mkdir()
    return file


@contextmanager
def running(settings: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the daemon with these settings and no others; its log is `daemon.log` beside them."""
    path = os.environ.get("PATH", os.defpath)
    with (settings.parent / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "mastodon_update_check", "run"],
            env={"PATH": path, "HOME": str(settings.parent), "UPDATE_CHECK_CONFIG": str(settings)},
            cwd=settings.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the demonstration, which then stops the daemon
        )
    try:
        yield daemon
    finally:
        daemon.terminate()
        try:
            daemon.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
