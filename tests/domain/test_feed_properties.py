"""Any JSON from the update server."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mastodon_update_check.domain.feeds import newer_updates, parse_feed
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import CheckError

NOTES = "https://github.com/mastodon/mastodon/releases/tag/v4.2.9"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
entries = st.dictionaries(
    st.sampled_from(["version", "urgent", "type", "releaseNotes", "endOfSupport"]),
    json_values | st.sampled_from(["4.2.9", "4.3.0-rc.1", "patch", NOTES, "2027-02-20"]),
)
documents = json_values | st.fixed_dictionaries(
    {},
    optional={
        "updatesAvailable": st.lists(entries | json_values, max_size=5) | json_values,
        "currentVersion": st.fixed_dictionaries({"endOfSupport": json_values}) | json_values,
    },
)


@given(documents, st.sampled_from(["4.2.8", "4.3.0-alpha.1"]))
def test_any_json_is_a_feed_or_an_error(document: object, installed: str) -> None:
    """No JSON document raises anything but `CheckError`; all that is kept and said fits on a line."""
    document = json.loads(json.dumps(document))
    try:
        feed = parse_feed(document)
    except CheckError:
        return
    assert all(warning.isprintable() for warning in feed.warnings)
    assert all(one.release_notes.isprintable() for one in feed.updates)
    newer = newer_updates(feed, MastodonVersion.parse(installed))
    assert len(newer) == len({one.version for one in newer})
    assert all(one.type is not None for one in newer)


@given(st.lists(entries, max_size=5), st.randoms(use_true_random=False))
def test_order_of_entries_does_not_matter(listing: list[dict[str, object]], random: Any) -> None:  # noqa: ANN401
    """Which versions are listed, and which of them are urgent, does not depend on the order."""
    listing.append({"version": "4.2.9"})
    first = parse_feed({"updatesAvailable": listing})
    random.shuffle(listing)
    second = parse_feed({"updatesAvailable": listing})
    assert {(one.version, one.urgent) for one in first.updates} == {(one.version, one.urgent) for one in second.updates}
    assert first.is_complete is second.is_complete
