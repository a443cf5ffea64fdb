"""The text of `check`, `check --dry-run` and `status`, in full."""

from datetime import UTC, datetime, timedelta

from end_to_end.world import NOTES, World
from simulators.smtp_server import SmtpServer


def test_check(world: World) -> None:
    """Urgent releases and the own branch first; then the end of support; then the actions."""
    world.update_server.publish("4.6.9", type="minor")
    world.update_server.publish("4.5.20", urgent=True)
    world.update_server.publish("4.10.0", type="minor", release_notes="javascript:alert(1)")
    world.update_server.set_current_end("2099-02-20")
    warning = 'expected an http or https URL of at most 2000 characters, got "javascript:alert(1)"'
    expected = f"""\
social.example runs Mastodon 4.5.19.
Newer releases:
  4.5.20  patch, urgent  {NOTES}4.5.20
  4.6.9   minor          {NOTES}4.6.9
  4.10.0  minor
Support for 4.5 ends on 20 February 2099.
Warning: updatesAvailable[2].releaseNotes is ignored: {warning}.
"""
    rehearsed = expected + (
        "3 messages would be sent. Nothing was sent or stored.\n"
        "  log: 4.5.20 (urgent), 4.6.9, 4.10.0\n"
        "  email to ops@social.example: 4.5.20 (urgent), 4.6.9, 4.10.0\n"
        "  webhook: 4.5.20 (urgent), 4.6.9, 4.10.0\n"
    )
    assert rehearsed == world.run("check", "--dry-run").out
    assert world.run("check").out == expected + "3 messages planned, 3 sent.\n"


def test_nothing_new(world: World) -> None:
    """Silence would leave it open whether it was asked at all."""
    expected = "social.example runs Mastodon 4.5.19.\nNothing newer is out.\n0 messages planned, 0 sent.\n"
    assert world.run("check").out == expected


def test_not_delivered(mail_world: World) -> None:
    """Undelivered messages are counted, with the server's reply."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["MAIL"] = "451 4.7.1 greylisted"
    mail_world.update_server.publish("4.5.20")
    expected = [
        "1 message planned, 0 sent.",
        "Not delivered yet: 1 deferred, 0 refused. They are tried again.",
        (
            "  email to ops@social.example: put off: "
            f"127.0.0.1:{mail_world.mail_server.port} answered MAIL with 451 4.7.1 greylisted"
        ),
    ]
    assert mail_world.run("check").out.splitlines()[-3:] == expected


def test_out_of_support(world: World) -> None:
    """A branch out of support is shown as such."""
    ended = datetime.now(UTC) - timedelta(days=40)
    world.update_server.set_current_end(ended.date().isoformat())
    date = f"{ended.day} {ended:%B} {ended.year}"
    finished = world.run("check", "--dry-run")
    assert f"Support for 4.5 ended on {date}." in finished.out
    assert f"  log: the end of support for 4.5 on {date} (has ended)\n" in finished.out
    world.check()
    assert f"Support:     4.5 ended {date}" in world.run("status").out


def test_status(world: World) -> None:
    """The first line is what a monitoring system shows; the rest is for a person."""
    world.update_server.publish("4.5.20", urgent=True)
    world.update_server.publish("4.6.9", type="minor")
    world.update_server.set_current_end("2099-02-20")
    world.check()
    lines = world.run("status").out.splitlines()
    lines[0] = lines[0].partition(" | ")[0]
    support, last_check = lines.pop(4), lines.pop(4)
    assert lines == [
        "MASTODON-UPDATE-CHECK CRITICAL - social.example: install 4.5.20, it is urgent",
        "Installed:   4.5.19",
        "Pending:     4.5.20 (urgent), 4.6.9",
        "  `mastodon-update-check route` shows in which order to install them, and how.",
        "Next check:  unknown, the daemon is not running",
        "Undelivered: nothing",
        (
            "Daemon:      not running: `systemctl start mastodon-update-check` "
            "(in a checkout `mastodon-update-check run`), unless a timer runs `mastodon-update-check check`"
        ),
    ]
    assert support.startswith("Support:     4.5 until 20 February 2099 (")
    assert last_check.startswith("Last check:  20")


def test_refused_addresses_are_named(mail_world: World) -> None:
    """`check` and `status` say which address was refused, and what the mail server said."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["RCPT"] = "550 5.1.1 no such user"
    mail_world.update_server.publish("4.5.20")
    port = mail_world.mail_server.port
    line = f"  email to ops@social.example: refused: 127.0.0.1:{port} answered RCPT with 550 5.1.1 no such user"
    assert line in mail_world.run("check").out.splitlines()
    assert line in mail_world.run("status").out.splitlines()


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
