"""The name of the server: notices go on under the one that the ledger knows, and servers on one ledger stay apart."""

from end_to_end.world import World

PLAIN = "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)"


def test_lost_name_is_the_one_of_the_ledger(mail_world: World) -> None:
    """When the name is lost, notices go on under the known one: under another, all of them would be sent again."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.set(LOCAL_DOMAIN=None)
    mail_world.update_server.publish("4.5.21")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects[1].startswith("[social.example] ")
    assert (
        "LOCAL_DOMAIN is not set: the instance of the ledger, social.example, is used" in mail_world.run("doctor").out
    )


def test_lost_name_of_one_server_of_several(mail_world: World) -> None:
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
