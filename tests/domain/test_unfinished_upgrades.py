"""Unfinished upgrades: when they are notified, and when they are over."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from domain.examples import NOW, cases, days, facts, user, version
from domain.rows import Rows, planned
from domain.tool_notices import FINISHED, MIGRATIONS, SERVICES
from mastodon_update_check.domain.notices import MigrationsPendingNotice, ServicesOutdatedNotice, UpgradeFinishedNotice
from mastodon_update_check.domain.server import problems
from mastodon_update_check.domain.server.problems import Unfinished, unfinished_notices
from mastodon_update_check.domain.server.state import ServerState

OLD, NEW = "20260701000000", "20260805130216"
MINUTE = timedelta(minutes=1)
Observation = tuple[int, Collection[str] | None, str | None]
"""Minutes after `NOW`, the items, the tree's version."""


def observe(
    *observations: Observation,
    kind: type[MigrationsPendingNotice] | type[ServicesOutdatedNotice] = MigrationsPendingNotice,
) -> Unfinished | None:
    """Return the state after these observations."""
    state = None
    for minutes, items, tree in observations:
        state = problems.observe(state, kind, items, version(tree) if tree else None, NOW + minutes * MINUTE)
    return state


def notice_of(state: Unfinished | None, at: timedelta) -> object:
    """Return the notice about this state that is true this long after `NOW`; None if there is none."""
    return next(unfinished_notices([state], NOW + at), None)


@cases(
    "observations at expected",
    ("never any", ((0, (), "4.5.20"),), 600, None),
    ("for exactly an hour", ((0, [NEW], "4.5.20"),), 60, None),
    ("for more than an hour", ((0, [NEW, OLD], "4.5.20"),), 61, (OLD, NEW)),
    ("run in the meantime", ((0, [NEW], "4.5.20"), (30, (), "4.5.20")), 90, None),
    ("some were run", ((0, [OLD, NEW], "4.5.20"), (40, [OLD], "4.5.20")), 61, (OLD,)),
    ("further ones of the same version start again", ((0, [OLD], "4.5.20"), (40, [OLD, NEW], "4.5.20")), 90, None),
    ("another version starts again", ((0, [NEW], "4.5.20"), (40, [NEW], "4.5.21")), 90, None),
    ("could not be observed", ((0, [NEW], "4.5.20"), (40, None, "4.5.20")), 61, (NEW,)),
    ("the tree could not be read", ((0, [NEW], "4.5.20"), (40, (), None)), 61, (NEW,)),
    ("the clock was set back", ((600, [NEW], "4.5.20"), (0, [NEW], "4.5.20")), 61, (NEW,)),
)
def test_migrations_are_due_after_an_hour(
    observations: tuple[Observation, ...], at: int, expected: tuple[str, ...] | None
) -> None:
    """The notice lists the migrations seen last."""
    notice = notice_of(observe(*observations), at * MINUTE)
    assert (notice.migrations if isinstance(notice, MigrationsPendingNotice) else notice) == expected


def test_identity_does_not_change_while_some_migrations_are_run() -> None:
    """Post-deployment migrations that are left are not a second notice."""
    first = notice_of(observe((0, [OLD, NEW], "4.5.20")), days(1))
    second = notice_of(observe((0, [OLD, NEW], "4.5.20"), (90, [OLD], "4.5.20")), days(1))
    assert isinstance(first, MigrationsPendingNotice)
    assert isinstance(second, MigrationsPendingNotice)
    assert first.newest == second.newest == NEW


@cases("ended at is_notified", (30, 120, False), (90, 120, True), (90, 7 * 1440, True), (90, 8 * 1440, False))
def test_end_is_notified_for_a_week(ended: int, at: int, *, is_notified: bool) -> None:
    """Only the end of what was notified, and not for ever."""
    sidekiq = ["mastodon-sidekiq.service"]
    ends = (ended, (), "4.5.20"), (ended + 9, (), "4.5.20")
    notice = notice_of(observe((0, sidekiq, "4.5.20"), *ends, kind=ServicesOutdatedNotice), at * MINUTE)
    assert isinstance(notice, UpgradeFinishedNotice) == is_notified
    if isinstance(notice, UpgradeFinishedNotice):
        assert isinstance(notice.about, ServicesOutdatedNotice)
        assert notice.ended_at == NOW + ended * MINUTE


def test_state_is_stored() -> None:
    """Both parts come back from the ledger's JSON."""
    pending = observe((0, [NEW], "4.5.20+x"))
    over = observe((0, ["a.service"], "4.5.20"), (90, (), "4.5.20"), kind=ServicesOutdatedNotice)
    state = ServerState(migrations=pending, services=over)
    assert ServerState.from_json(state.to_json()) == state


def test_services_that_stay_outdated_are_one_notice() -> None:
    """It starts with the first observation, and lists those of the last."""
    state = observe(
        (0, ["a.service", "b.service"], "4.5.20"), (40, ["b.service"], "4.5.20"), kind=ServicesOutdatedNotice
    )
    notice = notice_of(state, 61 * MINUTE)
    assert isinstance(notice, ServicesOutdatedNotice)
    assert (notice.services, notice.started_at) == (("b.service",), NOW)
    unknown = observe(
        (0, ["a.service"], "4.5.20"), (9, None, "4.5.20"), (9, ["a.service"], None), kind=ServicesOutdatedNotice
    )
    assert isinstance(notice_of(unknown, 61 * MINUTE), ServicesOutdatedNotice)
    later = observe((0, ["a.service"], "4.5.20"), (40, ["a.service"], "4.5.21"), kind=ServicesOutdatedNotice)
    assert notice_of(later, 61 * MINUTE) is None


def test_end_goes_to_those_who_were_notified_of_the_beginning() -> None:
    """An operator who never got the first notice gets no second one; each comes once."""
    rows = Rows()
    rows.plan(facts(user(1), tool_notices=[MIGRATIONS]))
    rows.send()
    assert planned(rows.plan(facts(user(1), tool_notices=[replace(MIGRATIONS, migrations=(OLD,))]))) == []
    ends = rows.plan(facts(user(1), user(2), tool_notices=[FINISHED]))
    assert planned(ends) == [("user:1", "migrations/4.5.20/20260805130216/finished", "operator")]


def test_beginning_that_was_not_sent_is_dropped_with_the_end() -> None:
    """A message about an upgrade that has been finished is not sent any more."""
    rows = Rows()
    rows.plan(facts(user(1), tool_notices=[SERVICES]))
    plan = rows.plan(facts(user(1), tool_notices=[replace(FINISHED, about=SERVICES)]))
    assert [str(change.reason) for change in plan.changes] == ["later_stage"]
    assert planned(plan) == []
