"""The date of a mail: fresh as long as no attempt may have arrived, and the same from then on."""

import email
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path

from end_to_end.world import World
from simulators.scripted_smtp_server import Drop, ScriptedSmtpServer

SOON = timedelta(minutes=1)


def date(mail: Message) -> datetime:
    """Return the date of a mail."""
    return parsedate_to_datetime(mail["Date"])


def test_date_is_fresh_until_a_mail_may_have_arrived(tmp_path: Path) -> None:
    """A refused mail gets a new date, since some receivers refuse old ones; one that may have arrived keeps it."""
    server = ScriptedSmtpServer({"END": ["552 5.2.2 mailbox full", Drop(), "250 2.0.0 ok"]})
    with World(tmp_path, server) as world:
        world.only("email")
        world.update_server.publish("4.5.20", urgent=True)
        world.set(UPDATE_CHECK_REMINDERS="none")
        for _ in server.script["END"]:
            world.check()
            world.let_pass(days=9)
    refused, lost, accepted = (email.message_from_bytes(body) for body in server.bodies)

    assert date(lost) > datetime.now(UTC) - SOON
    assert abs(date(accepted) - (date(lost) - timedelta(days=9))) < SOON
    assert refused["Message-ID"] == lost["Message-ID"] == accepted["Message-ID"]
