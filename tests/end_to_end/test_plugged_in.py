"""A sink of another package: installed with pip, found by its entry point, and isolated when it breaks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from end_to_end.world import World

DATA = Path(__file__).with_name("data")
SINKS = Path(__file__).parents[2] / "docs/SINKS.md"
SINK = (DATA / "ntfy_sink.txt").read_text()
PROJECT = (DATA / "ntfy_pyproject.txt").read_text()
PIP = ("install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory into which pip has installed the sink of docs/SINKS.md."""
    source, target = tmp_path_factory.mktemp("ntfy"), tmp_path_factory.mktemp("site")
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "ntfy_sink.py").write_text(SINK)
    subprocess.run(
        [sys.executable, "-m", "pip", *PIP, "--root-user-action=ignore", "--target", target, source], check=True
    )
    return target


@pytest.fixture
def plugged(world: World, installed: Path) -> World:
    """Return a server that uses this sink and mail."""
    world.set(
        PYTHONPATH=str(installed),
        UPDATE_CHECK_SINKS="email,ntfy",
        UPDATE_CHECK_WEBHOOK_URL=None,
        UPDATE_CHECK_NTFY_URL=world.receiver.url("/mastodon"),
    )
    world.update_server.publish("4.5.20", urgent=True)
    return world


@pytest.fixture
def broken(world: World, tmp_path: Path) -> World:
    """Return a server with a sink whose code a test writes to `ntfy_sink.py`; installed by hand."""
    site = tmp_path / "site"
    metadata = site / "ntfy_sink-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ntfy-sink\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[mastodon_update_check.sinks]\nntfy = ntfy_sink:Ntfy\n")
    world.set(PYTHONPATH=str(site), UPDATE_CHECK_SINKS="log,ntfy,email", UPDATE_CHECK_WEBHOOK_URL=None)
    world.update_server.publish("4.5.20")
    return world


def test_it_gets_each_message_once(plugged: World) -> None:
    """Its options arrive, it gets subject, text, urgency and id, and each message once."""
    assert plugged.check().result == (0, 2, 2, 0, 0)
    assert plugged.check().result == (0, 0, 0, 0, 0)
    (call,) = plugged.calls
    assert (call.path, call.headers["priority"]) == ("/mastodon", "urgent")
    assert call.headers["title"] == "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
    assert call.headers["x-id"] in call.body.decode()
    assert len(plugged.mails) == 1


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        pytest.param("raise RuntimeError('no')", "cannot be set up (RuntimeError: no)", id="breaks when imported"),
        pytest.param(
            "class Ntfy:\n def __init__(self, options): pass\n def send(self, message): 1 / 0",
            "the sink broke: ZeroDivisionError",
            id="breaks when it sends",
        ),
    ],
)
def test_its_crash_affects_no_other_sink(broken: World, tmp_path: Path, code: str, reply: str) -> None:
    """The other sinks deliver, its own message waits, and the reason is one line."""
    (tmp_path / "site" / "ntfy_sink.py").write_text(code + "\n")
    finished = broken.check()
    assert (finished.result, len(broken.mails)) == ((75, 3, 2, 1, 0), 1)
    (line,) = finished.events("delivery.deferred")
    assert (line["sink"], reply in line["reply"]) == ("ntfy", True), line["reply"]


def test_its_errors_do_not_show_its_options(broken: World, tmp_path: Path) -> None:
    """Which of its options are secret is not known here: none of them is in any text that its errors go into."""
    (tmp_path / "site" / "ntfy_sink.py").write_text(
        "class Ntfy:\n def __init__(self, options): self.options = options\n"
        " def send(self, message): raise RuntimeError(f'refused: {self.options}')\n"
    )
    options = {name: f"{name.lower()}-0123456789" for name in ("PASSWORD", "PIN", "ACCESS", "WORD")}
    broken.set(**{f"UPDATE_CHECK_NTFY_{name}": value for name, value in options.items()})
    outputs = [broken.check()]
    for _ in range(2):
        broken.let_pass(hours=7)
        outputs.append(broken.check())
    commands = ("status", "status --json", "doctor", "explain 4.5.20")
    outputs += [broken.run(*command.split()) for command in (*commands, "send-test ntfy")]
    assert any("have not gone out" in subject for subject in broken.subjects)
    assert ["refused: " in each.out for each in outputs[-2:]] == [True, True]
    shown = "".join((*(each.out + each.err for each in outputs), *broken.texts)).encode()
    everything = shown + b"".join(broken.bytes_of_state().values())
    assert [value for value in options.values() if value.encode() in everything] == []


def test_the_readme_shows_this_sink() -> None:
    """The sink of docs/SINKS.md is the one that these tests use, to the letter."""
    shown = re.findall(r"```python\n(# ntfy_sink\.py\n.*?)```", SINKS.read_text(), re.DOTALL)
    assert shown == [SINK]
