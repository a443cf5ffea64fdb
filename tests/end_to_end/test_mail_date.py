"""The date of a mail: fresh as long as no attempt may have arrived, and the same from then on."""

import email
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from end_to_end.world import World
from simulators.scripted_smtp_server import Drop, ScriptedSmtpServer


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
    mails = [email.message_from_bytes(body) for body in server.bodies]
    _, lost, accepted = (parsedate_to_datetime(mail["Date"]) for mail in mails)
    soon = timedelta(minutes=1)
    assert lost > datetime.now(UTC) - soon
    assert abs(accepted - (lost - timedelta(days=9))) < soon
    assert len({mail["Message-ID"] for mail in mails}) == 1
