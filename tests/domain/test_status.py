"""How the server stands, as a monitoring plugin says it."""

import time
from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.examples import NOW, cases, minor, patch, version
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import Level, Verdict, describe_line, judge, urgent_to_act_on

HALF_HOUR = timedelta(minutes=30)
GOOD = ServerState(checked_at=NOW, good_at=NOW, installed=version("4.5.19"), support_ends_on=date(2028, 1, 1))
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
ELSEWHERE = minor("4.7.6", urgent=True)
ENDED = date(2026, 11, 22)


def knowing(*updates: UpdateNotice, ends_on: date | None = date(2028, 1, 1), **fields: object) -> ServerState:
    """Return what is known after a good check."""
    return replace(GOOD, updates=updates, support_ends_on=ends_on, **fields)  # type: ignore[arg-type] # differ


def verdict(
    known: ServerState, waiting_since: datetime | None = None, interval: timedelta = HALF_HOUR, off: str = ""
) -> Verdict:
    """Judge now."""
    return judge(known, waiting_since, NOW, interval, off)


@cases(
    "known to_act_on",
    ("the own branch's", knowing(URGENT, ELSEWHERE), ["4.5.20"]),
    ("any, when the own branch's fix is not urgent", knowing(patch("4.5.20"), ELSEWHERE), ["4.7.6"]),
    ("on the newest of a supported branch, another branch's is none", knowing(ELSEWHERE), []),
    ("nor when the end of support is not known", knowing(ELSEWHERE, ends_on=None), []),
    ("any, when the own branch is out of support", knowing(ELSEWHERE, ends_on=ENDED), ["4.7.6"]),
    (
        "the own branch's and any, when it is out of support",
        knowing(URGENT, ELSEWHERE, ends_on=ENDED),
        ["4.5.20", "4.7.6"],
    ),
    ("what is not urgent is none", knowing(PLAIN, minor("4.7.6")), []),
    ("without an installed version nothing is known", ServerState(updates=(URGENT,)), []),
)
def test_urgent_updates_to_act_on(known: ServerState, to_act_on: list[str]) -> None:
    """An urgent update of the own branch, or any once that branch has no fix or no support, is to act on."""
    assert [str(update.version) for update in urgent_to_act_on(known, NOW)] == to_act_on


def test_thousands_of_pending_releases_cost_little() -> None:
    """The time does not grow with the square of their number."""
    known = knowing(PLAIN, *(minor(f"4.7.{number}", urgent=True) for number in range(2_000)))
    began = time.process_time()
    assert len(urgent_to_act_on(known, NOW)) == 2_000
    assert len(verdict(known).sentences) == 2_001
    assert time.process_time() - began < 3


TWO_PATCHES, URGENT_FIRST = knowing(patch("4.5.20"), patch("4.5.21")), knowing(URGENT, patch("4.5.21"))
OUT = "4.5.21 is out for your branch"


@cases(
    "known level sentences",
    ("nothing to do", knowing(), Level.OK, ()),
    ("a newer minor series alone is not an alarm", knowing(minor("4.6.9")), Level.OK, ()),
    ("nor is another branch's urgent release", knowing(ELSEWHERE), Level.OK, ()),
    ("a patch of the own branch: the newest is named", TWO_PATCHES, Level.WARNING, (OUT,)),
    ("an urgent update", URGENT_FIRST, Level.CRITICAL, ("install 4.5.20, it is urgent", OUT)),
    ("two weeks", knowing(ends_on=date(2026, 12, 7)), Level.WARNING, ("support for 4.5 ends on 2026-12-07",)),
    ("support ends within three months", knowing(ends_on=date(2026, 12, 8)), Level.OK, ()),
    ("it has ended", knowing(ends_on=ENDED), Level.CRITICAL, ("4.5 has been out of support since 2026-11-22",)),
)
def test_pending_updates(known: ServerState, level: Level, sentences: tuple[str, ...]) -> None:
    """0 nothing to do, 1 something to look at, 2 something to do now."""
    assert verdict(known) == Verdict(level=level, sentences=sentences)


@cases(
    "silent_for interval level",
    ("two hours are not too long", timedelta(hours=2), HALF_HOUR, Level.OK),
    ("more than two hours are", timedelta(hours=2, seconds=1), HALF_HOUR, Level.UNKNOWN),
    ("however short the interval", timedelta(hours=2), timedelta(seconds=5), Level.OK),
    ("three intervals are not too long", timedelta(hours=18), timedelta(hours=6), Level.OK),
    ("more than three are", timedelta(hours=18, seconds=1), timedelta(hours=6), Level.UNKNOWN),
    ("a clock that was a little ahead", timedelta(hours=-1), HALF_HOUR, Level.OK),
    ("a clock that was a year ahead", timedelta(days=-365), HALF_HOUR, Level.UNKNOWN),
)
def test_silence(silent_for: timedelta, interval: timedelta, level: Level) -> None:
    """3: no good check within three intervals, or two hours."""
    assert verdict(knowing(good_at=NOW - silent_for), interval=interval).level is level


def test_silence_says_why() -> None:
    """The reason of the last failure is said, and since when nothing has worked."""
    known = knowing(good_at=NOW - timedelta(days=1), detail="no address for api.joinmastodon.org")
    expected = "no check has worked since 2026-11-22 02:07 UTC: no address for api.joinmastodon.org"
    assert verdict(known) == Verdict(level=Level.UNKNOWN, sentences=(expected,))
    assert verdict(ServerState()) == Verdict(level=Level.UNKNOWN, sentences=("no check has worked yet",))


def test_checking_off_is_not_silence() -> None:
    """While checking is off the last check's age does not count."""
    assert verdict(ServerState(), off="UPDATE_CHECK_URL is blank") == Verdict(level=Level.OK, sentences=())


@cases(
    "waiting level", (None, Level.OK), (timedelta(hours=5, minutes=59), Level.OK), (timedelta(hours=6), Level.WARNING)
)
def test_undelivered(waiting: timedelta | None, level: Level) -> None:
    """1: something has not been delivered for six hours."""
    found = verdict(knowing(), waiting_since=None if waiting is None else NOW - waiting)
    assert found.level is level
    assert (level is Level.OK) is (found.sentences == ())


@cases(
    "known waiting_since level",
    ("2 before 3", knowing(URGENT, good_at=None), None, Level.CRITICAL),
    ("3 before 1", knowing(PLAIN, good_at=None), NOW - timedelta(days=1), Level.UNKNOWN),
    ("1 before 0", knowing(PLAIN), NOW - timedelta(days=1), Level.WARNING),
)
def test_worst_comes_first(known: ServerState, waiting_since: datetime | None, level: Level) -> None:
    """An urgent update that is known of counts for more than a check that has failed since; all is said."""
    found = verdict(known, waiting_since)
    assert found.level is level
    assert len(found.sentences) >= 2


def test_levels_are_exit_codes() -> None:
    """0, 1, 2 and 3, as monitoring plugins have them."""
    assert [int(level) for level in (Level.OK, Level.WARNING, Level.CRITICAL, Level.UNKNOWN)] == [0, 1, 2, 3]


PENDING, NONE_PENDING = "Mastodon 4.5.19, pending: 4.5.20 (urgent), 4.6.9", "Mastodon 4.5.19, pending: nothing"
CHECKED, FAILING = "checked 02:07 UTC", "checks failing since 2026-11-23 02:07 UTC: no address"
FAILED = knowing(failing_since=NOW, detail="no address")


@cases(
    "known undelivered off line",
    (knowing(URGENT, minor("4.6.9")), 2, "", f"{PENDING}; {CHECKED}; 2 undelivered"),
    (knowing(), 0, "", f"{NONE_PENDING}; {CHECKED}"),
    (ServerState(), 0, "", "no check yet"),
    (FAILED, 0, "", f"{NONE_PENDING}; {FAILING}"),
    (ServerState(), 1, "blank", "checking is off: blank; 1 undelivered"),
)
def test_line(known: ServerState, undelivered: int, off: str, line: str) -> None:
    """The one line that `systemctl status` shows."""
    assert describe_line(known, undelivered, off) == line
