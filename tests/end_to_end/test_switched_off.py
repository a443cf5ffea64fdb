"""A blank UPDATE_CHECK_URL: whose file it stands in decides what it switches off."""

import pytest

from end_to_end.world import World


@pytest.mark.parametrize("place", ["environment", "own file"])
def test_a_blank_url_of_ours(mail_world: World, place: str) -> None:
    """A blank URL in the environment or our own file switches checking off, and that is said."""
    mail_world.set(UPDATE_CHECK_URL="" if place == "environment" else None)
    mail_world.config_file.write_text("" if place == "environment" else "UPDATE_CHECK_URL=\n")
    mail_world.root.mkdir()
    (mail_world.root / ".env.production").write_text(f"UPDATE_CHECK_URL={mail_world.update_server.url}\n")
    finished = mail_world.run("check")
    assert (finished.code, mail_world.update_server.asked) == (0, [])
    assert "Checking is off: UPDATE_CHECK_URL is blank." in finished.out
    assert "Checking is off: UPDATE_CHECK_URL is blank." in mail_world.run("status").out


def test_a_blank_url_of_mastodons(mail_world: World) -> None:
    """A blank URL in Mastodon's file silences Mastodon's check, not ours: the default server is asked."""
    mail_world.set(UPDATE_CHECK_URL=None, https_proxy=mail_world.receiver.url())
    mail_world.root.mkdir()
    (mail_world.root / ".env.production").write_text("UPDATE_CHECK_URL=\n")
    assert mail_world.check().code == 1
    assert [(call.method, call.target) for call in mail_world.calls] == [("CONNECT", "api.joinmastodon.org:443")]


def test_no_admin_page_while_mastodons_check_is_off(mail_world: World) -> None:
    """Where Mastodon's own check is off, its page would show nothing: mails do not point there."""
    mail_world.root.mkdir()
    (mail_world.root / ".env.production").write_text("UPDATE_CHECK_URL=\n")
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert "/admin/" not in mail_world.texts[0]


def test_pending_notices_while_checking_is_off(mail_world: World) -> None:
    """Nothing is asked any more; pending notices are still sent, but for those of releases installed meanwhile."""
    mail_world.smtp.replies["END"] = "451 4.3.0 later"
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.5.21")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    mail_world.smtp.replies.clear()
    mail_world.let_pass(hours=1)
    mail_world.set(UPDATE_CHECK_URL="", UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    assert mail_world.check().result == (0, 0, 1, 0, 0)
    assert mail_world.subjects == ["[social.example] Mastodon 4.5.21 is out (you run 4.5.20)"]
