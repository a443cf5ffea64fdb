"""The demonstration: the real daemon, real mail, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("mastodon-update-check"))


def start(directory: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `demo` with its temporary files in `directory`."""
    return subprocess.Popen(
        [PROGRAM, "demo", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory), **variables},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def remains(directory: Path) -> list[str]:
    """Return the files in `directory`, and the processes whose settings are there."""
    processes = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"UPDATE_CHECK_CONFIG={directory}".encode() in environment.read_bytes():
                processes.append(environment.parent.name)
        except OSError:  # it has ended, or is another user's
            continue
    return [*processes, *(path.name for path in directory.iterdir())]


def test_story(tmp_path: Path) -> None:
    """A patch, an urgent release and an upgrade are shown with their mails, in 80 columns and less than a minute."""
    began = time.monotonic()
    with start(tmp_path) as process:
        out, err = process.communicate(timeout=90)

    assert (process.returncode, err) == (0, "")
    assert time.monotonic() - began < 60
    lines = out.splitlines()
    assert "demonstration" in lines[0]
    assert [line.removeprefix("| Subject: ") for line in lines if "Subject:" in line] == [
        "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)",
        "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)",
        "[social.example] Mastodon 4.5.20 is installed",
    ]
    assert [line for line in lines if line.startswith("| To:")] == 3 * ["| To: ada@social.example"]
    assert lines.count("| (The same to grace@social.example, in a mail of its own.)") == 2
    assert "ssh" not in out
    assert [line for line in lines if len(line) > 80 and "https://" not in line] == []
    assert "change UPDATE_CHECK_RECIPIENTS there" not in out  # the footer is that of one recipient
    assert "sudo mastodon-update-check setup" in out
    assert remains(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    """An interrupted demonstration stops its daemon and removes its files; over ssh it says how to see its page."""
    with start(tmp_path, SSH_CONNECTION="192.0.2.1 50000 192.0.2.2 22") as process:
        assert process.stdout is not None
        said = ""
        while "name of this one" not in said:
            assert process.poll() is None
            said += process.stdout.readline()
        assert remains(tmp_path)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, "")
    assert out.endswith("The demonstration is over. Its files are removed.\n")
    assert remains(tmp_path) == []
    words = " ".join(said.split())
    (port,) = re.findall(r"status page: http://127\.0\.0\.1:([0-9]+)/", words)
    assert f"`ssh -L {port}:127.0.0.1:{port}`" in words


def test_reader_that_goes(tmp_path: Path) -> None:
    """`demo | head -1` ends the demonstration at its next line."""
    with start(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 141

    assert remains(tmp_path) == []


def test_unless_set_up(tmp_path: Path) -> None:
    """With a setting in the environment, as for `make run`, the daemon itself is started."""
    settings = {"UPDATE_CHECK_MASTODON_ROOT": "/nowhere", "UPDATE_CHECK_URL": "", "LOCAL_DOMAIN": "social.example"}
    with start(tmp_path, "--unless-set-up", **settings) as process:
        assert process.stderr is not None
        assert "daemon.started" in process.stderr.readline()
        process.terminate()
        assert process.wait(timeout=60) == 0


def test_nothing_set_up(tmp_path: Path) -> None:
    """With nothing set and no Mastodon, as in a fresh clone, `make run` shows the demonstration."""
    if any(Path(path).exists() for path in ("/home/mastodon/live", "/etc/mastodon-update-check/config.env")):
        pytest.skip("this host has a Mastodon")
    with start(tmp_path, "--unless-set-up") as process:
        assert process.stdout is not None
        assert "demonstration" in process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=60) == 0
