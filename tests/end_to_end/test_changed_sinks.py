"""Recipients and sinks that change while messages wait: each message is sent once, to the right place."""

from end_to_end.world import World


def test_an_address_corrected_after_a_refusal(mail_world: World) -> None:
    """A refused address delays no other, and the corrected one gets the notice at once."""
    mail_world.smtp.refused["opps@social.example"] = "550 5.1.1 no such user"
    mail_world.set(UPDATE_CHECK_RECIPIENTS="opps@social.example, second@social.example")
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 2, 1, 0, 1)
    assert mail_world.check().result == (75, 0, 0, 0, 1)
    mail_world.set(UPDATE_CHECK_RECIPIENTS="ops@social.example, second@social.example")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert [mail.recipient for mail in mail_world.mails] == ["second@social.example", "ops@social.example"]


def test_a_check_by_hand_with_fewer_sinks(world: World) -> None:
    """Messages of a sink that this check lacks stay pending for the daemon, and are not counted here."""
    port = world.environment["SMTP_PORT"]
    world.set(SMTP_PORT="1")
    world.update_server.publish("4.5.20")
    assert world.check().result == (75, 3, 2, 1, 0)
    world.set(UPDATE_CHECK_SINKS="log")
    assert world.check().result == (0, 0, 0, 0, 0)
    assert world.rows("SELECT state FROM message WHERE sink = 'email'") == [("pending",)]
    world.set(UPDATE_CHECK_SINKS=None, SMTP_PORT=port)
    assert world.check().result == (0, 0, 1, 0, 0)
