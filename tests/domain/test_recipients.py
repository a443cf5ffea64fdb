"""The notices that each recipient wants, and the keys of recipients in the ledger."""

from dataclasses import replace

import pytest

from domain.examples import cases, hook, minor, named, patch, support, update, user
from domain.tool_notices import CHECK, DELIVERY, RECOVERED, RESTART
from mastodon_update_check.domain.notices import Notice, SupportStage, UpdateType
from mastodon_update_check.domain.recipients import Preference, Reason, address_key, url_key, wants

NONE, CRITICAL, PATCH, ALL = Preference
PLAIN_MAJOR = update("5.0.0", type=UpdateType.MAJOR)


@cases(
    "preference notice reason",
    ("none: never, not even urgent", NONE, patch("4.5.20", urgent=True), Reason.PREFERENCE_NONE),
    ("none: no patch", NONE, patch("4.5.20"), Reason.PREFERENCE_NONE),
    ("none: no minor", NONE, minor("4.6.0"), Reason.PREFERENCE_NONE),
    ("critical: an urgent patch", CRITICAL, patch("4.5.20", urgent=True), Reason.URGENT_UPDATE),
    ("critical: an urgent minor", CRITICAL, minor("4.6.0", urgent=True), Reason.URGENT_UPDATE),
    ("critical: no plain patch", CRITICAL, patch("4.5.20"), Reason.BELOW_PREFERENCE),
    ("patch: an urgent minor", PATCH, minor("4.6.0", urgent=True), Reason.URGENT_UPDATE),
    ("patch: a plain patch", PATCH, patch("4.5.20"), Reason.PATCH_UPDATE),
    ("patch: no plain minor", PATCH, minor("4.6.0"), Reason.BELOW_PREFERENCE),
    ("patch: no plain major", PATCH, PLAIN_MAJOR, Reason.BELOW_PREFERENCE),
    ("all: urgent, for that reason", ALL, patch("4.5.20", urgent=True), Reason.URGENT_UPDATE),
    ("all: a patch, for that reason", ALL, patch("4.5.20"), Reason.PATCH_UPDATE),
    ("all: a minor", ALL, minor("4.6.0"), Reason.ANY_UPDATE),
    ("all: a major", ALL, PLAIN_MAJOR, Reason.ANY_UPDATE),
    ("all: any type", ALL, update("4.6.0"), Reason.ANY_UPDATE),
)
def test_preferences_are_mastodon_s(preference: Preference, notice: Notice, reason: Reason) -> None:
    """Mastodon's rule (docs/MASTODON.md), but release by release: one urgent release makes no other one urgent."""
    assert wants(user(preference=preference), notice) is reason


@pytest.mark.parametrize("stage", SupportStage)
@pytest.mark.parametrize("preference", Preference)
def test_support_warnings_have_a_switch_of_their_own(preference: Preference, stage: SupportStage) -> None:
    """Support notices follow their own preference, not the one for updates."""
    recipient = user(preference=preference)
    assert Reason.SUPPORT_ENDS is wants(recipient, support(stage))
    assert Reason.SUPPORT_WARNINGS_OFF is wants(replace(recipient, wants_support=False), support(stage))


@pytest.mark.parametrize("notice", [CHECK, RECOVERED, DELIVERY, RESTART])
@pytest.mark.parametrize("preference", Preference)
def test_operators_are_notified_about_this_tool(preference: Preference, notice: Notice) -> None:
    """Notices about this tool go to operators with any preference for updates."""
    recipient = user(preference=preference)
    assert Reason.OPERATOR is wants(recipient, notice)
    assert Reason.NOT_OPERATOR is wants(replace(recipient, is_operator=False), notice)


def test_a_failing_sink_is_reported_through_others() -> None:
    """A failing sink is not reported through itself."""
    assert Reason.OWN_SINK_FAILS is wants(hook("webhook.ops"), DELIVERY)
    assert Reason.OPERATOR is wants(hook("webhook"), DELIVERY)


def test_reasons_notify_or_do_not() -> None:
    """Seven reasons notify, two supersede, and the rest do neither."""
    assert {str(reason) for reason in Reason if reason.notifies} == {
        "urgent_update",
        "patch_update",
        "any_update",
        "support_ends",
        "operator",
        "reminder",
        "closure",
    }
    assert {str(reason) for reason in Reason if reason.supersedes} == {"urgency_rose", "later_stage"}


def test_keys_keep_their_spelling() -> None:
    """Keys stand in ledgers; a webhook's is a hash, since its URL may be a secret."""
    assert "address:ops@social.example" == address_key(" Ops@Social.Example ") == named("OPS@social.example").key
    assert url_key("webhook", "https://hooks.example/s3cret") == (
        "webhook:780b2309e9791e19f2d9a2814d2daaacb06cfa2d53b66a3effd1fe9844609412"
    )
    assert url_key("webhook", "https://hooks.example/s3cret?b") != url_key("webhook", "https://hooks.example/s3cret")
