"""The end of every message: who got it, why, how to change that."""

from dataclasses import replace

from domain.examples import cases, hook, named, support
from domain.tool_notices import CHECK
from mastodon_update_check.domain.notices import Notice, SupportStage
from mastodon_update_check.domain.recipients import Preference, Recipient
from messages.writing import OWNER, footer, make_context, patch, write

PAGE = "https://social.example/settings/preferences/notifications"
END = f"From mastodon-update-check on web1. ID {'0f' * 16}"
BY_SETTINGS = "To ops@social.example because the settings of mastodon-update-check name this address"
UPDATE, SUPPORT = patch("4.5.20"), support(SupportStage.TWO_WEEKS)
OPS = named("ops@social.example", Preference.PATCH)


OWNER_OF, OPERATOR = "To you as Owner of social.example", "because UPDATE_CHECK_OPERATOR names no other address."
SWITCH = f"(your setting for the end of support: on; change it at {PAGE})."
CAREFUL, NAMELESS = replace(OWNER, preference=Preference.CRITICAL), replace(OWNER, role="")
ACTING = replace(OWNER, role="Owner\u202e\r\nX")
LURING = replace(OWNER, role="Owner. Renew your login at https://evil.example/login")


@cases(
    "recipient notice why",
    ("a user, updates", CAREFUL, UPDATE, f"{OWNER_OF} (your setting: critical; change it at {PAGE})."),
    ("a user, support", OWNER, SUPPORT, f"{OWNER_OF} {SWITCH}"),
    ("a user, this tool", OWNER, CHECK, f"{OWNER_OF}, {OPERATOR}"),
    ("a role without a name", NAMELESS, UPDATE, f"To you of social.example (your setting: all; change it at {PAGE})."),
    ("a role with characters that act", ACTING, CHECK, f"To you as Owner X of social.example, {OPERATOR}"),
    (
        *("a role with a link", LURING, CHECK),
        f"To you as Owner. Renew your login at … of social.example, {OPERATOR}",
    ),
    ("an address, updates", OPS, UPDATE, f"{BY_SETTINGS} (patch); change UPDATE_CHECK_RECIPIENTS there."),
    ("an address, support", OPS, SUPPORT, f"{BY_SETTINGS}; change UPDATE_CHECK_RECIPIENTS there."),
    ("an address, this tool", OPS, CHECK, f"{BY_SETTINGS}; change UPDATE_CHECK_OPERATOR there."),
    ("a webhook", hook("webhook.ops"), UPDATE, "To the sink webhook.ops of social.example (all)."),
)
def test_why(recipient: Recipient, notice: Notice, why: str) -> None:
    """Why this one got it, and what to change."""
    assert footer(write([notice], make_context([patch("4.5.20")]), recipient)) == f"{why} {END}"


def test_address_of_the_setting_is_a_link() -> None:
    """The address in the footer is a link."""
    assert f'<a href="{PAGE}">{PAGE}</a>).' in write([UPDATE]).html
