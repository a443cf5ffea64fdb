"""Decisions in plain words."""

from dataclasses import replace

import pytest

from domain.examples import NOW, cases, installed, patch, reminder
from domain.tool_notices import MIGRATIONS, SERVICES
from mastodon_update_check.domain.recipients import Preference, Reason, Recipient
from mastodon_update_check.domain.server.problems import Unfinished
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.messages.explanations import describe_unfinished, explain_reason, name_notice


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    """No decision is explained by the name of a constant."""
    assert reason.replace("_", " ") != explain_reason(reason)


def test_a_reason_of_a_later_version() -> None:
    """A ledger may hold reasons that this version does not know: they are given as they are."""
    assert explain_reason("moon_is_full") == "moon is full"


@cases(
    "preference words",
    (Preference.CRITICAL, "only urgent releases are wanted"),
    (Preference.PATCH, "only patches and urgent releases"),
)
def test_explanation_names_the_preference(preference: Preference, words: str) -> None:
    """The explanation of a lower preference names the setting."""
    recipient = Recipient(sink="email", key="user:1", preference=preference)
    assert explain_reason(Reason.BELOW_PREFERENCE, recipient).startswith(words)


def test_names() -> None:
    """An urgent release is called so; what follows is called by what it follows."""
    follow_ups = (reminder(patch("4.5.20", urgent=True), 2), installed(patch("4.5.20")))
    assert [name_notice(one) for one in follow_ups] == ["reminder 2 of 4.5.20 (urgent)", "4.5.20 is installed"]
    assert [name_notice(patch("4.5.20", urgent=urgent)) for urgent in (False, True)] == ["4.5.20", "4.5.20 (urgent)"]


def test_unfinished_upgrades() -> None:
    """The work that is left, with its command; nothing once it is over."""
    left = Unfinished(about=MIGRATIONS)
    services = Unfinished(about=replace(SERVICES, services=("a-sidekiq.service", "b-sidekiq.service")))
    assert list(describe_unfinished(ServerState(migrations=left, services=services))) == [
        "1 migration is pending, the newest 20260805130216: run `RAILS_ENV=production bundle exec rails db:migrate`",
        (
            "a-sidekiq.service, b-sidekiq.service started before the tree changed: "
            "`systemctl restart a-sidekiq.service b-sidekiq.service`"
        ),
    ]
    over = [replace(part, ended_at=NOW) for part in (left, services)]
    assert list(describe_unfinished(ServerState(migrations=over[0], services=over[1]))) == []
