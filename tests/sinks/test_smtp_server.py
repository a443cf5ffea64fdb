"""Whose fault a refusal is."""

import pytest

from mastodon_update_check.errors import PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.smtp_server import SmtpStep, judge

SINK = (TransientDeliveryError, True)
LATER = (TransientDeliveryError, False)
NEVER = (PermanentDeliveryError, False)

REPLIES = [
    pytest.param(421, "4.7.0 too many connections", SINK, id="421 closes for everybody"),
    pytest.param(450, "4.2.0 greylisted", LATER, id="450 puts this one off"),
    pytest.param(451, "", LATER, id="451 puts this one off"),
    pytest.param(454, "4.7.0 TLS is required", LATER, id="4yz is never more than this one's"),
    pytest.param(550, "5.1.1 unknown user", NEVER, id="no such mailbox"),
    pytest.param(550, "5.1.10 null MX", NEVER, id="the domain takes no mail"),
    pytest.param(556, "5.1.10 null MX", NEVER, id="the domain takes no mail (RFC 7504)"),
    pytest.param(550, "5.2.1 disabled", NEVER, id="the mailbox is disabled"),
    pytest.param(552, "5.2.2 over quota", NEVER, id="the mailbox is full"),
    pytest.param(550, "5.4.4 no route", NEVER, id="no way to the domain"),
    pytest.param(552, "5.3.4 too big", NEVER, id="the mail is too big"),
    pytest.param(554, "5.6.0 bad content", NEVER, id="the mail is not liked"),
    pytest.param(550, "5.7.2 may not expand the list", NEVER, id="a mailing list"),
    pytest.param(550, "5.7.17 new owner", NEVER, id="the mailbox has a new owner"),
    pytest.param(550, "no such user", NEVER, id="550 without more"),
    pytest.param(551, "not here", NEVER, id="551 without more"),
    pytest.param(553, "what a name", NEVER, id="553 without more"),
    pytest.param(554, "transaction failed", NEVER, id="554 without more"),
    pytest.param(554, "5.0.0 failed", NEVER, id="an enhanced code that says nothing"),
    pytest.param(553, "5.3.0 refused", NEVER, id="another that says nothing"),
    pytest.param(550, "4.2.2 full", NEVER, id="an enhanced code that contradicts the basic one"),
    pytest.param(550, "5.1.1.7 is our version", NEVER, id="what only looks like an enhanced code"),
    pytest.param(521, "takes no mail", SINK, id="the host takes no mail (RFC 7504)"),
    pytest.param(530, "5.7.0 log in first", SINK, id="not logged in"),
    pytest.param(530, "STARTTLS first", SINK, id="not encrypted"),
    pytest.param(535, "5.7.8 bad credentials", SINK, id="log-in refused"),
    pytest.param(550, "5.7.3 authentication unsuccessful", SINK, id="log-in refused, as Exchange says it"),
    pytest.param(550, "5.1.8 sender's domain not found", SINK, id="our sender's domain"),
    pytest.param(553, "5.1.7 sender address", SINK, id="our sender's address"),
    pytest.param(554, "5.3.2 not accepting mail", SINK, id="the mail system is closed"),
    pytest.param(554, "5.3.4 too big", NEVER, id="of the mail system, yet about the mail"),
    pytest.param(550, "5.7.23 SPF", SINK, id="SPF of our sender"),
    pytest.param(550, "5.7.26 unauthenticated", SINK, id="DKIM and SPF of our sender"),
    pytest.param(554, "5.7.1 relay access denied", LATER, id="5.7.1 of us, the server or the recipient"),
    pytest.param(550, "5.7.1 spam", LATER, id="5.7.1 of the mail: looks the same"),
    pytest.param(550, "5.7.0 policy", LATER, id="policy"),
    pytest.param(504, "5.5.2 need a fully qualified name", LATER, id="5.5.2 of HELO or of the recipient"),
    pytest.param(503, "bad sequence", LATER, id="sequence"),
    pytest.param(501, "syntax", LATER, id="syntax"),
    pytest.param(555, "parameters", LATER, id="parameters that we do not send"),
    pytest.param(571, "blocked", LATER, id="a code of no standard"),
    pytest.param(-1, "what", LATER, id="no SMTP at all"),
    pytest.param(354, "go on", LATER, id="a reply that fits no question"),
]


@pytest.mark.parametrize("step", [SmtpStep.RCPT, SmtpStep.DATA, SmtpStep.END])
@pytest.mark.parametrize(("code", "text", "expected"), REPLIES)
def test_from_the_recipient_on(step: SmtpStep, code: int, text: str, expected: tuple[type, bool]) -> None:
    """The reply decides; see the module's own table."""
    error = judge(step, code, text, "a sentence")

    assert (type(error), error.sink_wide) == expected
    assert error.reply == "a sentence"


@pytest.mark.parametrize("step", [SmtpStep.CONNECT, SmtpStep.EHLO, SmtpStep.STARTTLS, SmtpStep.AUTH, SmtpStep.MAIL])
@pytest.mark.parametrize(("code", "text"), [param.values[:2] for param in REPLIES])
def test_before_the_recipient(step: SmtpStep, code: int, text: str) -> None:
    """Everything is the sink's fault."""
    error = judge(step, code, text, "a sentence")

    assert (type(error), error.sink_wide) == SINK
