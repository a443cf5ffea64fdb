"""Properties of versions: every text is a version or an error, and versions are in one total order."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mastodon_update_check.domain.identities import identity
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError

stages = st.sampled_from(["alpha", "beta", "rc", "Beta"])
tails = st.one_of(
    st.just(""),
    st.builds("{}{}{}{}".format, st.sampled_from(["", "-", "."]), stages, st.sampled_from(["", "."]), st.integers(0)),
    st.builds(
        "-nightly.{:%Y-%m-%d}{}".format,
        st.dates().filter(lambda day: day.year >= 1000),  # strftime pads no year
        st.sampled_from(["", "-security"]),
    ),
    st.sampled_from(["-nightly", "-nightly.0000-00-00-security", "~moew", "-bark", "-rcfoo", ".", "-nightly-security"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)
numbers = st.lists(st.integers(0, 12), min_size=3, max_size=5).map(lambda parts: ".".join(map(str, parts)))
texts = st.builds("{}{}".format, numbers, tails)
versions = texts.map(MastodonVersion.parse)


def parsed(text: str) -> MastodonVersion | None:
    """Return the version, or None where there is none."""
    try:
        return MastodonVersion.parse(text)
    except InvalidVersionError:
        return None


@given(st.text())
def test_anything_is_a_version_or_an_error(text: str) -> None:
    """No text at all raises anything but `InvalidVersionError`."""
    version = parsed(text)
    assert version is None or re.fullmatch(r"[A-Za-z0-9.+~_-]+", version.text)


@given(versions, versions, versions)
def test_order_is_total(one: MastodonVersion, two: MastodonVersion, three: MastodonVersion) -> None:
    """Exactly one of smaller, equal and greater holds, and order carries over."""
    assert [one < two, one == two, one > two].count(True) == 1
    low, middle, high = sorted((one, two, three))
    assert low <= middle <= high
    assert low <= high


@given(versions, versions)
def test_equal_versions_are_one_thing(one: MastodonVersion, two: MastodonVersion) -> None:
    """Versions are equal exactly if they have one name; then they hash alike and have one identity."""
    assert (one == two) is (one.name == two.name)
    if one == two:
        assert hash(one) == hash(two)
        assert identity(UpdateNotice(version=one)) == identity(UpdateNotice(version=two))


@given(versions)
def test_name_and_text_read_back(version: MastodonVersion) -> None:
    """A version's canonical name, its text and what is asked all stand for the same version."""
    assert {version} == {MastodonVersion.parse(text) for text in (version.name, version.stored, version.asked)}


@given(versions, st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20))
def test_build_metadata_is_ignored(version: MastodonVersion, metadata: str) -> None:
    """Build metadata changes nothing."""
    assert version == MastodonVersion.parse(f"{version.asked}+{metadata}")
