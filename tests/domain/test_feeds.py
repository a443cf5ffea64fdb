"""The update server's answer: what is read, what is left out, and under which path."""

from datetime import date

import pytest

from domain.examples import cases, minor, patch, update, version
from mastodon_update_check.domain.feeds import Feed, newer_updates, parse_feed
from mastodon_update_check.domain.notices import UpdateNotice, UpdateType
from mastodon_update_check.errors import Cause, CheckError

NOTES = "https://github.com/mastodon/mastodon/releases/tag/v4.2.9"


def listed(*entries: object) -> Feed:
    """Read an answer that lists these entries."""
    return parse_feed({"updatesAvailable": list(entries)})


def test_real_answer_is_read() -> None:
    """The one real answer that was published (docs/MASTODON.md, Update check) is read whole."""
    feed = listed({"version": "4.2.9", "type": "patch", "releaseNotes": NOTES, "urgent": False})
    expected = UpdateNotice(version=version("4.2.9"), urgent=False, type=UpdateType.PATCH, release_notes=NOTES)
    assert feed == Feed(updates=(expected,), is_complete=True, ends_on=None, warnings=())


def test_support_dates_are_read() -> None:
    """The date of a listed update, and the date of the branch that was asked about."""
    entry = {"version": "4.2.9", "endOfSupport": "2027-02-20"}
    feed = parse_feed({"updatesAvailable": [entry], "currentVersion": {"endOfSupport": "2026-12-17"}})
    assert (date(2026, 12, 17), ()) == (feed.ends_on, feed.warnings)
    assert feed.updates == (update("4.2.9", ends_on=date(2027, 2, 20)),)


def test_empty_list_is_an_answer() -> None:
    """`[]` says that nothing is newer; Mastodon takes it for no answer and keeps what was withdrawn."""
    assert parse_feed({"updatesAvailable": []}) == Feed(updates=())


@pytest.mark.parametrize("document", [{}, {"updatesAvailable": None}, {"UpdatesAvailable": []}])
def test_missing_list_is_not_an_answer(document: dict[str, object]) -> None:
    """Without a list, or with null, it stays unknown whether there are updates; that is said."""
    warning = "updatesAvailable is missing: whether there are updates stays unknown"
    assert parse_feed(document) == Feed(updates=(), is_complete=False, warnings=(warning,))


@cases(
    "document message",
    ([], "the update server's answer: expected an object, got []"),
    (None, "the update server's answer: expected an object, got null"),
    ("{}", 'the update server\'s answer: expected an object, got "{}"'),
    (True, "the update server's answer: expected an object, got true"),
    (1.5, "the update server's answer: expected an object, got 1.5"),
    ({"updatesAvailable": {}}, "the update server's updatesAvailable: expected a list, got {}"),
    ({"updatesAvailable": "none"}, 'the update server\'s updatesAvailable: expected a list, got "none"'),
    ({"updatesAvailable": False}, "the update server's updatesAvailable: expected a list, got false"),
    ({"updatesAvailable": [{}] * 1001}, "the update server lists 1001 updates, more than 1000"),
)
def test_answers_that_are_not_a_feed(document: object, message: str) -> None:
    """An answer that is not a feed is an error of the content, with its reason."""
    with pytest.raises(CheckError) as caught:
        parse_feed(document)
    assert (caught.value.cause, caught.value.detail) == (Cause.CONTENT, message)


def test_1000_entries_are_read() -> None:
    """The longest list that is read has 1,000 entries."""
    feed = listed(*({"version": f"4.2.{number}"} for number in range(1000)))
    assert len(feed.updates) == 1000


LABELS = "expected at most 60 of the characters A-Z a-z 0-9 . + ~ _ - behind the numbers"
BAD = "[1].version is left out: "
LEFT_OUT = "[1] is left out: expected an object with a version, got "


@cases(
    "entry warning",
    ("an entry that is a text", "4.2.9", f'{LEFT_OUT}"4.2.9"'),
    ("an entry that is null", None, f"{LEFT_OUT}null"),
    ("no version", {}, LEFT_OUT + "{}"),
    ("a number as the version", {"version": 4}, LEFT_OUT + '{"version": 4}'),
    (
        "a version that cannot be ordered",
        {"version": "latest"},
        f"{BAD}'latest' is not a version: expected three numbers at the start",
    ),
    (
        *("a version with line breaks", {"version": "4.2.9\r\nBcc: all@social.example"}),
        f"{BAD}'4.2.9 Bcc: all@social.example' is not a version: expected printable ASCII",
    ),
    (
        *("text that would be shown in subjects and chats", {"version": "4.5.1 [click](http://evil.example)"}),
        f"{BAD}'4.5.1 [click](http://evil.example)' is not a version: {LABELS}",
    ),
    ("an enormous version", {"version": "4.2." + "9" * 100_000}, f"{BAD}a version of 100004 characters (at most 200)"),
)
def test_bad_version_skips_its_entry_alone(entry: object, warning: str) -> None:
    """An entry without a version that can be ordered is left out by its path; the others stay; it is said."""
    feed = listed({"version": "4.2.8"}, entry, {"version": "4.2.10"})
    expected = Feed(
        updates=(update("4.2.8"), update("4.2.10")), is_complete=False, warnings=(f"updatesAvailable{warning}",)
    )
    assert feed == expected


@pytest.mark.parametrize(
    "entries", [[{"version": "16.1"}, {"version": "15.5-lts"}], ["4.5.20"], [{"version": "4.5.1 now"}]]
)
def test_answer_without_readable_entries_is_an_error(entries: list[object]) -> None:
    """An update server that lists other versions than Mastodon's, such as kmyblue's own, answers nothing of use."""
    with pytest.raises(CheckError, match="expected UPDATE_CHECK_URL=https://") as caught:
        listed(*entries)
    assert caught.value.cause is Cause.CONTENT
    assert "updatesAvailable[0]" in caught.value.detail


def test_duplicates_merge() -> None:
    """Of entries of one version the first counts; it is urgent if one of them is."""
    feed = listed(
        {"version": "4.2.9", "type": "patch"},
        {"version": "4.3.0", "type": "minor"},
        {"version": "v4.2.9+x", "type": "minor"},
        {"version": "4.2.9", "urgent": True, "releaseNotes": NOTES},
    )
    merged = update("4.2.9", urgent=True, type=UpdateType.PATCH)
    assert feed == Feed(updates=(merged, minor("4.3.0")))


@cases(
    "installed newer",
    ("a release is offered releases", "4.2.8", ["4.2.9 patch", "4.3.0 minor", "5.0.0 major"]),
    ("what is installed is not newer", "4.2.9", ["4.3.0 minor", "5.0.0 major"]),
    ("a pre-release is offered pre-releases", "4.3.0-alpha.1", ["4.3.0-beta.1 patch", "4.3.0 patch", "5.0.0 major"]),
    ("a fork is offered releases newer than its base", "4.2.9-bark", ["4.3.0 minor", "5.0.0 major"]),
    ("newer than all that is listed", "5.0.1", []),
)
def test_updates_that_concern_a_server(installed: str, newer: list[str]) -> None:
    """Releases newer than the installed version, oldest first, with the given or computed type."""
    feed = Feed(updates=tuple(update(text) for text in ("5.0.0", "4.3.0-beta.1", "4.2.9", "4.3.0")))
    assert [f"{one.version} {one.type}" for one in newer_updates(feed, version(installed))] == newer


def test_type_that_was_said_stands() -> None:
    """Mastodon's own fixture calls 5.0.0 minor; so do we then."""
    feed = listed({"version": "5.0.0", "type": "minor"}, {"version": "4.2.1", "type": "patch"})
    assert (patch("4.2.1"), minor("5.0.0")) == newer_updates(feed, version("4.2.0"))
