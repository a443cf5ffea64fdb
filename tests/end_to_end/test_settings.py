"""Outputs, terminals and interruptions that programs meet; the transcripts have wrong settings and wrong usage."""

import os
import subprocess
import sys

import pytest

from end_to_end.world import World
from mastodon_update_check.cli import main
from mastodon_update_check.cli.main import advise
from mastodon_update_check.errors import SettingsError


def test_a_terminal_that_lacks_letters(world: World) -> None:
    """Characters outside its encoding are escaped, in help, answers and errors; JSON stays JSON."""
    name = "J\u00f6rg\u2026"
    world.set(UPDATE_CHECK_RECIPIENTS=f"{name}@social.example")
    ascii_only = ("env", "PYTHONIOENCODING=ascii")
    assert "\\u2026" in world.run("send-test", "--help", through=ascii_only).out
    assert "J\\xf6rg\\u2026@social.example" in world.run("recipients", through=ascii_only).out
    listed = world.run("recipients", "--json", through=ascii_only).json["recipients"]
    assert f"{name}@social.example" in {one["address"] for one in listed}
    assert "'J\\xf6rg\\u2026' is not known here" in world.run("explain", name, through=ascii_only).err


@pytest.mark.parametrize(
    ("command", "redirection", "code", "said"),
    [
        pytest.param("check", "> /dev/full", 70, "the output cannot be written: no space left on device", id="full"),
        pytest.param("status", "> /dev/full", 3, "the output cannot be written: no space left", id="full, for status"),
        pytest.param("check", "2> /dev/full", 75, "", id="a log that is full: its sink waits, the others are notified"),
        pytest.param("check", ">&- 2>&-", 0, "", id="started without outputs"),
    ],
)
def test_output_that_goes_nowhere(world: World, command: str, redirection: str, code: int, said: str) -> None:
    """A closed output causes no traceback, and the work is done."""
    world.update_server.publish("4.5.20")
    finished = world.run(command, through=("sh", "-c", f'"$@" {redirection}', "sh"))
    assert (finished.code, said in finished.err) == (code, True), finished
    assert "Exception ignored" not in finished.err
    assert world.notified == ((1, 1) if command == "check" else (0, 0))


def test_interrupted_while_it_starts() -> None:
    """Ctrl-C is not an error, even while modules are loaded."""
    code = """if True:
    import sys
    class Finder:
        def find_spec(self, name, *_):
            if name == "mastodon_update_check.cli.parser":
                raise KeyboardInterrupt
    sys.meta_path.insert(0, Finder())
    from mastodon_update_check.cli.main import main
    main()
    """
    done = subprocess.run([sys.executable, "-c", code, "status"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ledger_in_a_directory_with_a_strange_name(world: World) -> None:
    """A path need not be UTF-8."""
    directory = os.fsencode(world.directory) + b"/st\xff"
    world.set(UPDATE_CHECK_LEDGER=None, STATE_DIRECTORY=os.fsdecode(directory))
    assert (world.check().code, os.path.exists(directory + b"/ledger.sqlite3")) == (0, True)  # noqa: PTH110 - bytes


def test_closed_pipe_ends_silently(world: World) -> None:
    """As in `mastodon-update-check check | true`: it ends silently, like other tools."""
    reading, writing = os.pipe()
    os.close(reading)
    world.only("email")
    with world.start("check", "--json", out=writing) as process:
        os.close(writing)
        _, err = process.communicate()
    assert (process.returncode, err.count("\n")) == (141, 1), err


@pytest.mark.parametrize(("user", "advises"), [(1000, True), (0, False)], ids=["at a keyboard", "root has tried that"])
def test_settings_that_may_not_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], user: int, *, advises: bool
) -> None:
    """A user without permission does not get the error that the settings are wrong; sudo is named if it can help."""

    def refuse(*_: object) -> int:
        raise SettingsError(["/etc/mastodon-update-check/config.env cannot be read: permission denied"])

    monkeypatch.setattr(main, "_dispatch", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert main.execute(["status"]) == 3
    shown = capsys.readouterr()
    assert shown.out.startswith("MASTODON-UPDATE-CHECK UNKNOWN - ")
    assert ("you may not read the settings:\n" in shown.err, "run this with sudo" in shown.err) == (advises, advises)
    assert not advise("run", "/x cannot be read: permission denied", user)  # the service has no sudo


def test_recipients_without_a_mail_server(world: World) -> None:
    """Without a mail server recipients are named in vain, which is said; also when there is nothing but the log."""
    world.set(SMTP_SERVER=None, SMTP_PORT=None)
    in_vain = "no mail is sent, though UPDATE_CHECK_RECIPIENTS is set: set SMTP_SERVER"
    assert f"Warning: {in_vain}." in world.run("check").out
    assert f"Warning: {in_vain}." in world.run("recipients").out
    world.set(UPDATE_CHECK_RECIPIENTS=None, UPDATE_CHECK_WEBHOOK_URL=None)
    assert (
        "Warning: notices go only to the log: set SMTP_SERVER, or UPDATE_CHECK_WEBHOOK_URL." in world.run("check").out
    )
    world.set(UPDATE_CHECK_SINKS="log")
    assert "Warning: " not in world.run("check").out


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version"]])
def test_help(world: World, arguments: list[str]) -> None:
    """Help and version need no settings at all."""
    world.environment.clear()
    finished = world.run(*arguments)
    assert (finished.code, finished.err, "mastodon-update-check" in finished.out) == (0, "", True)


def test_lost_domain_of_one_server_of_several(mail_world: World) -> None:
    """Where the ledger knows several servers, nothing is guessed: the settings are wrong."""
    mail_world.update_server.publish("4.5.20")
    for domain in ("social.example", "other.example"):
        mail_world.set(LOCAL_DOMAIN=domain)
        mail_world.check()
    mail_world.set(LOCAL_DOMAIN=None)
    for arguments in (["check"], ["check", "--dry-run"]):
        finished = mail_world.run(*arguments)
        assert finished.code == 78
        assert "LOCAL_DOMAIN is not set, but the ledger belongs to other.example, social.example" in finished.err
    assert len(mail_world.mails) == 2
