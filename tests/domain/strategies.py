"""Hypothesis strategies for what a check may know, and for the histories of a ledger."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TypeVar

from hypothesis import strategies as st

from domain.examples import days, facts, hook, skip, update, user
from domain.rows import Rows
from domain.tool_notices import CHECK, RECOVERED, RESTART
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.identities import identity
from mastodon_update_check.domain.notices import ToolNotice, UpdateType
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient

T = TypeVar("T")
U = TypeVar("U")


def mostly(usual: st.SearchStrategy[T], other: st.SearchStrategy[U]) -> st.SearchStrategy[T | U]:
    """Return `usual` in about five of six examples: alternatives with `|` would plan nothing in most of them."""
    return st.tuples(st.integers(0, 5), usual, other).map(lambda drawn: drawn[1] if drawn[0] else drawn[2])


VERSIONS = ("4.4.27", "4.5.20", "4.5.21", "4.6.9", "4.7.0-rc.1", "4.7.6")
updates = st.builds(
    update,
    st.sampled_from(VERSIONS),
    urgent=st.booleans(),
    type=st.none() | st.sampled_from(UpdateType),
)
listed = st.lists(updates, unique_by=lambda one: one.version, min_size=2, max_size=4).map(tuple)
feeds = st.builds(
    Feed,
    updates=mostly(listed, st.just(())),
    is_complete=st.booleans(),
    ends_on=st.none() | st.sampled_from([date(2026, 12, 17), date(2026, 12, 30), date(2027, 2, 20)]),
)
answers = mostly(feeds, st.none())
people = st.one_of(
    st.builds(
        user,
        st.integers(1, 4),
        st.sampled_from(Preference),
        wants_support=st.booleans(),
        is_operator=st.booleans(),
        address=st.sampled_from(["a@social.example", "b@social.example", "A@SOCIAL.example", "c@social.example"]),
    ),
    st.builds(hook, st.sampled_from(["webhook", "webhook.ops"]), st.sampled_from(["webhook:1", "webhook:2"])),
)
faults: st.SearchStrategy[list[ToolNotice]] = st.lists(
    st.sampled_from([CHECK, replace(CHECK, stage=2), RECOVERED, RESTART]), unique_by=identity, max_size=2
)


def known_facts(recipients: st.SearchStrategy[list[Recipient]]) -> st.SearchStrategy[Facts]:
    """Return what checks may know."""
    return st.builds(
        lambda recipients, **fields: facts(*recipients, sinks=["email", "webhook", "webhook.ops"], **fields),
        recipients,
        installed=mostly(st.sampled_from(["4.4.26", "4.5.19", "4.5.20", "4.7.0-beta.1"]), st.none()),
        answer=answers,
        now=st.sampled_from([datetime(2026, 11, 23, tzinfo=UTC) + days(number) for number in (0, 1, 3, 17, 400)]),
        skips=st.lists(st.builds(skip, st.sampled_from(VERSIONS), urgent=st.booleans()), max_size=1),
        reminders=st.sampled_from(FollowUps),
        closure=st.sampled_from(FollowUps),
        unasked=st.sets(st.sampled_from(["email", "webhook"]), max_size=1),
        tool_notices=faults,
    )


any_facts = known_facts(st.lists(people, min_size=1, max_size=4, unique_by=lambda one: (one.sink, one.key)))
neighbours = known_facts(
    st.lists(
        st.builds(user, st.integers(1, 4), st.sampled_from(Preference), wants_support=st.booleans()),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one.key,
    )
)
"""Recipients who differ both by key and by address."""
events = st.sampled_from(["", "send", "refuse", "claim", "release"])
histories = st.lists(st.tuples(any_facts, events), max_size=4)
quiet_histories = st.lists(st.tuples(neighbours, events), max_size=4)


def lived(history: list[tuple[Facts, str]]) -> Rows:
    """Return the rows after these checks and events."""
    rows = Rows()
    for known, event in history:
        rows.plan(known)
        match event:
            case "send":
                rows.send(known.now)
            case "refuse":
                rows.refuse()
            case "claim":
                rows.claim()
            case "release":
                rows.rows = {place: replace(row, is_being_sent=False) for place, row in rows.rows.items()}
    return rows
