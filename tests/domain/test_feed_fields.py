"""The fields of the update server's answer: bad ones are dropped alone, by their paths."""

from datetime import date
from typing import Any

import pytest

from domain.examples import cases, update
from mastodon_update_check.domain.feeds import Feed, parse_feed
from mastodon_update_check.domain.urls import is_printable_url

NO_URL = "releaseNotes is ignored: expected an http or https URL of at most 2000 characters, got "


def answer(**fields: object) -> dict[str, Any]:
    """Return an answer that lists 4.2.9 with these fields."""
    return {"updatesAvailable": [{"version": "4.2.9", **fields}]}


@cases(
    "fields warning",
    ({"type": "security"}, 'type is ignored: expected patch, minor or major, got "security"'),
    ({"type": 3}, "type is ignored: expected patch, minor or major, got 3"),
    ({"type": ["patch"]}, 'type is ignored: expected patch, minor or major, got ["patch"]'),
    ({"releaseNotes": 5}, f"{NO_URL}5"),
    ({"releaseNotes": "/notes"}, f'{NO_URL}"/notes"'),
    ({"endOfSupport": "soon"}, 'endOfSupport is ignored: expected a date, got "soon"'),
    ({"endOfSupport": "2026-02-30"}, 'endOfSupport is ignored: expected a date, got "2026-02-30"'),
    ({"endOfSupport": "soon\x1b[2J"}, r'endOfSupport is ignored: expected a date, got "soon\u001b[2J"'),
    ({"endOfSupport": "x" * 99}, f'endOfSupport is ignored: expected a date, got "{"x" * 38}…'),
    ({"endOfSupport": 20270220}, "endOfSupport is ignored: expected a date, got 20270220"),
    ({"endOfSupport": {"a": 1}}, 'endOfSupport is ignored: expected a date, got {"a": 1}'),
)
def test_bad_field_is_dropped_by_its_path(fields: dict[str, object], warning: str) -> None:
    """A bad field other than the version is dropped alone: the release counts, and the answer is complete."""
    expected = Feed(updates=(update("4.2.9"),), is_complete=True, warnings=(f"updatesAvailable[0].{warning}",))
    assert parse_feed(answer(**fields)) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"type": None, "releaseNotes": None, "endOfSupport": None},
        {"releaseNotes": "", "endOfSupport": ""},
        {"endOfSupport": "  "},
        {"severity": "high", "urgent": False},
    ],
)
def test_absent_blank_and_unknown_fields_are_nothing(fields: dict[str, object]) -> None:
    """Fields that are null, blank or unknown give no warning."""
    assert parse_feed(answer(**fields)) == Feed(updates=(update("4.2.9"),))


@cases("value shown", ("false", '"false"'), (1, "1"), (0, "0"), (None, "null"), ([], "[]"), ({}, "{}"))
def test_urgent_that_is_not_a_boolean_counts_as_urgent(value: object, shown: str) -> None:
    """Better one alarm too many: what is neither true nor false counts as urgent, and that is said."""
    warning = f"updatesAvailable[0].urgent counts as true: expected true or false, got {shown}"
    assert parse_feed(answer(urgent=value)) == Feed(updates=(update("4.2.9", urgent=True),), warnings=(warning,))


@cases(
    "text day",
    ("a date", "2027-02-20", date(2027, 2, 20)),
    ("blanks around", " 2027-02-20 ", date(2027, 2, 20)),
    ("a timestamp, which Rails takes too", "2027-02-20T00:00:00.000Z", date(2027, 2, 20)),
    ("another zone: the written date counts", "2027-02-20T23:00:00-05:00", date(2027, 2, 20)),
)
def test_dates(text: str, day: date) -> None:
    """A date, or the date that a timestamp names."""
    assert parse_feed({"updatesAvailable": [], "currentVersion": {"endOfSupport": text}}) == Feed(
        updates=(), ends_on=day
    )


@cases(
    "current warnings",
    ("no date", {}, ()),
    ("null", {"endOfSupport": None}, ()),
    ("blank", {"endOfSupport": " "}, ()),
    ("null", None, ()),
    ("a list", [], ("currentVersion is ignored: expected an object, got []",)),
    ("a text", "4.2.8", ('currentVersion is ignored: expected an object, got "4.2.8"',)),
    (
        "no date at all",
        {"endOfSupport": "never"},
        ('currentVersion.endOfSupport is ignored: expected a date, got "never"',),
    ),
)
def test_without_a_support_date(current: object, warnings: tuple[str, ...]) -> None:
    """Without a date that can be read there is none."""
    expected = Feed(updates=(), ends_on=None, warnings=warnings)
    assert parse_feed({"updatesAvailable": [], "currentVersion": current}) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/mastodon/mastodon/releases/tag/v4.2.9",
        "http://update.example:8080/notes?version=4.2.9&a=1#top",
        "HTTPS://GITHUB.COM/x",
        "https://[2001:db8::1]/notes",
        "https://a.example/" + "x" * 1982,
    ],
)
def test_web_urls(url: str) -> None:
    """Absolute http and https addresses are kept as they are."""
    assert is_printable_url(url)
    assert parse_feed(answer(releaseNotes=url)) == Feed(updates=(update("4.2.9", notes=url),))


@cases(
    "url",
    ("a script", "javascript:alert(1)"),
    ("a script with a host", "javascript://github.com/%0aalert(1)"),
    ("data", "data:text/html,x"),
    ("a file", "file:///etc/passwd"),
    ("another scheme", "ftp://github.com/x"),
    ("no scheme", "//github.com/x"),
    ("no host", "https:///x"),
    ("nothing behind the scheme", "https://"),
    ("a user that looks like a host", "https://github.com@evil.example/"),
    ("user and password", "https://a:b@github.com/"),
    ("line breaks", "https://github.com/\r\nX: y"),
    ("a blank", "https://github.com/a b"),
    ("markup", 'https://github.com/"><script>'),
    ("a backslash, which browsers take for a slash", "https://evil.example\\@github.com/"),
    ("a letter that only looks like one", "https://g\u0456thub.com/"),
    ("an address that does not end", "https://[::1"),
    ("2,001 characters", "https://a.example/" + "x" * 1983),
)
def test_urls_that_are_dropped(url: str) -> None:
    """Any other URL is dropped with a warning; the release counts without it."""
    assert not is_printable_url(url)
    feed = parse_feed(answer(releaseNotes=url))
    assert feed.updates == (update("4.2.9"),)
    assert [one.startswith(f"updatesAvailable[0].{NO_URL}") for one in feed.warnings] == [True]
