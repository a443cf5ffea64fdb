"""Letters about the end of support."""

from dataclasses import replace
from datetime import UTC, date, datetime

from domain.examples import cases, support
from mastodon_update_check.domain.notices import SupportStage, UpdateNotice
from messages.writing import body, make_context, minor, patch, write

THREE_MONTHS, TWO_WEEKS, ENDED = SupportStage
ENDS_ON = date(2026, 12, 17)
NEAREST, NEXT, NEWEST = minor("4.5.20", ends_on=date(2027, 2, 20)), minor("4.6.9"), minor("4.7.6")
STEPS = "For the steps, run: sudo mastodon-update-check route"
ADMIN = "All pending updates: https://social.example/admin/software_updates"
MIGRATIONS = "Minor upgrades migrate the database: make a backup first, and read each release's notes."
OPEN = "Support for 4.4 ends on 17 December 2026: do not count on fixes after that day, even urgent ones."
OVER = "Support for 4.4 ended on 17 December 2026: do not count on fixes any more, even urgent ones."


def at(day: str) -> datetime:
    """Return noon of that day."""
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def test_support_ends() -> None:
    """When it ends, what follows, which way leads out, when the next mail comes."""
    context = make_context([NEAREST, NEXT, NEWEST], "4.4.27", ENDS_ON, at("2026-12-07"))
    message = write([support(TWO_WEEKS, ENDS_ON, "4.4")], context)
    assert message.subject == "[social.example] Support for Mastodon 4.4 ends in 10 days (17 December)"
    assert body(message) == [
        f"You run 4.4.27, the newest release of its branch. {OPEN}",
        "Shortest way out: 4.5.20 (supported until 20 February 2027). Furthest: 4.5.20 > 4.6.9 > 4.7.6. " + STEPS,
        MIGRATIONS,
        "Next message about this: 18 December.",
        ADMIN,
    ]
    assert (message.type, message.urgent) == ("support.ending", False)


ENDS, UPGRADE = "Support for Mastodon 4.4 ends", "upgrade from Mastodon 4.4: support ended on 17 December 2026"


@cases(
    "stage day subject following",
    ("three months", THREE_MONTHS, "2026-09-18", f"{ENDS} in 90 days (17 December)", "3 December"),
    ("the day before", TWO_WEEKS, "2026-12-16", f"{ENDS} in 1 day (17 December)", "18 December"),
    ("the last day", TWO_WEEKS, "2026-12-17", f"{ENDS} today (17 December)", "18 December"),
    ("the day after", ENDED, "2026-12-18", UPGRADE, None),
    ("a message that waited until it was over says what is true now", TWO_WEEKS, "2026-12-20", UPGRADE, None),
)
def test_stages(stage: SupportStage, day: str, subject: str, following: str | None) -> None:
    """Each stage says how long there is left, and when the next message comes, if one does."""
    message = write([support(stage, ENDS_ON, "4.4")], make_context([NEAREST], "4.4.27", ENDS_ON, at(day)))
    mark = "" if following else "URGENT "
    assert message.subject == f"{mark}[social.example] {subject}"
    assert body(message)[3] == (f"Next message about this: {following}." if following else ADMIN)
    assert (OVER in body(message)[0]) is message.urgent is (following is None)


NO_WAY = "The update server lists no supported release yet; look here: https://github.com/mastodon/mastodon/releases"


NEWEST_OF_BRANCH = "You run 4.4.27, the newest release of its branch."
PATCHED, TOO_SHORT = patch("4.4.27"), minor("4.5.20", ends_on=date(2026, 12, 1))
PASSED = "4.5.x > 4.6.x > 4.7.6. x is the newest patch of that branch."
NEAR = "4.5.20 (supported until 20 February 2027)."


@cases(
    "installed pending first way",
    ("a patch is out as well", "4.4.26", [PATCHED, NEAREST], "You run 4.4.26; 4.4.27 is out.", f"4.4.27 > {NEAR}"),
    ("only the newest is listed: the series between are passed", "4.4.27", [NEWEST], NEWEST_OF_BRANCH, PASSED),
    ("a branch that ends no later is a step", "4.4.27", [TOO_SHORT, NEXT], NEWEST_OF_BRANCH, "4.5.20 > 4.6.9."),
    ("of the nearest branch the newest release", "4.4.27", [minor("4.5.19"), NEAREST], NEWEST_OF_BRANCH, NEAR),
    ("no newer branch is listed", "4.4.26", [PATCHED], "You run 4.4.26; 4.4.27 is out.", None),
    ("nothing is listed", "4.4.27", [], NEWEST_OF_BRANCH, None),
    ("the version is not known any more", None, [], "You run 4.4.", None),
)
def test_way_out(installed: str | None, pending: list[UpdateNotice], first: str, way: str | None) -> None:
    """The way is that of the releases that are listed; nothing is made up."""
    message = write([support(TWO_WEEKS, ENDS_ON, "4.4")], make_context(pending, installed, ENDS_ON, at("2026-12-07")))
    expected = NO_WAY if way is None else f"Shortest way out: {way} {STEPS}"
    assert body(message)[:2] == [f"{first} {OPEN}", expected]


def test_no_line_begins_with_a_quotation_mark() -> None:
    """A route is broken behind its `>`: at the beginning of a line mail clients take it for a quotation."""
    pending = [minor(f"4.{number}.10") for number in range(8)]
    text = write([support(ENDED, ENDS_ON, "3.5")], make_context(pending, "3.5.19", ENDS_ON, at("2026-12-19"))).text
    assert "4.7.10." in " ".join(text.split())
    assert not any(line.lstrip().startswith(">") for line in text.splitlines())


def test_without_an_admin_page() -> None:
    """While Mastodon's own check is off it has no page of pending updates."""
    context = make_context([NEAREST], "4.4.27", ENDS_ON, at("2026-12-07"))
    message = write([support(TWO_WEEKS, ENDS_ON, "4.4")], replace(context, has_admin_page=False))
    assert "software_updates" not in message.text + message.html
