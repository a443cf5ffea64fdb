"""The text of `check`, `check --dry-run` and `status`, in full."""

from datetime import UTC, datetime, timedelta

from end_to_end.world import NOTES, World


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
