"""Subjects and first lines of letters about releases: what to do, whether it is urgent, and where it applies."""

from datetime import date

from domain.examples import cases
from mastodon_update_check.domain.notices import UpdateNotice
from messages.writing import ENDS_ON, body, make_context, minor, patch, write

PLAIN, URGENT = patch("4.5.20"), patch("4.5.20", urgent=True)
NEXT, NEWEST = minor("4.6.9"), minor("4.7.6", ends_on=date(2028, 1, 1))
ELSEWHERE = minor("4.7.6", urgent=True)


def test_only_an_urgent_patch() -> None:
    """Nothing beyond it: no word of other branches."""
    assert body(write([URGENT]))[0] == "Mastodon marks 4.5.20 as urgent. It is a patch of your branch."


@cases(
    "new pending installed ends_on subject opening",
    (
        "a minor release",
        [NEXT],
        [NEXT],
        "4.5.20",
        None,
        "[social.example] Mastodon 4.6.9 is out (you run 4.5.20)",
        "A new release of branch 4.6; not marked urgent.",
    ),
    (
        "several minor releases",
        [NEWEST, NEXT],
        [NEXT, NEWEST],
        "4.5.20",
        None,
        "[social.example] Mastodon 4.6.9 and 4.7.6 are out (you run 4.5.20)",
        "New releases of other branches; none is marked urgent.",
    ),
    (
        "a patch and a minor release: the own branch first",
        [NEXT, PLAIN],
        [PLAIN, NEXT],
        "4.5.19+glitch",
        None,
        "[social.example] Mastodon 4.5.20 and 4.6.9 are out (you run 4.5.19+glitch)",
        "4.5.20 is a release for your branch; not marked urgent. It installs directly over 4.5.19.",
    ),
    (
        "many: three are named",
        [minor(f"4.{number}.0") for number in range(6, 11)],
        [minor(f"4.{number}.0") for number in range(6, 11)],
        "4.5.20",
        None,
        "[social.example] Mastodon 4.6.0, 4.7.0, 4.8.0 and 2 more are out (you run 4.5.20)",
        "New releases of other branches; none is marked urgent.",
    ),
    (
        "the release of a pre-release is not a patch",
        [patch("4.7.0")],
        [patch("4.7.0")],
        "4.7.0-beta.1",
        None,
        "[social.example] Mastodon 4.7.0 is out (you run 4.7.0-beta.1)",
        "4.7.0 is a release for your branch; not marked urgent. It installs directly over 4.7.0-beta.1.",
    ),
    (
        "urgent in another branch: nothing is claimed of the own one",
        [ELSEWHERE],
        [ELSEWHERE],
        "4.5.20",
        ENDS_ON,
        "URGENT [social.example] Mastodon 4.7.6 is out: see whether it concerns you (you run 4.5.20)",
        (
            "Mastodon marks 4.7.6 as urgent. It is not of your branch 4.5, for which the update server lists no urgent "
            "release."
        ),
    ),
    (
        "urgent in another branch, and in the own one as was notified before",
        [ELSEWHERE],
        [URGENT, ELSEWHERE],
        "4.5.19",
        None,
        "URGENT [social.example] Mastodon 4.7.6 is out: see whether it concerns you (you run 4.5.19)",
        "Mastodon marks 4.7.6 as urgent. For your branch there is 4.5.20, marked urgent too.",
    ),
    (
        "urgent in another branch, and the own one is out of support",
        [ELSEWHERE],
        [ELSEWHERE],
        "4.3.23",
        date(2026, 5, 6),
        "URGENT [social.example] install Mastodon 4.7.6 (you run 4.3.23)",
        "Mastodon marks 4.7.6 as urgent. Your branch 4.3 is out of support: do not wait for a fix of its own.",
    ),
    (
        "two urgent patches: the newest is the one to install",
        [patch("4.5.20", urgent=True), patch("4.5.21", urgent=True)],
        [patch("4.5.20", urgent=True), patch("4.5.21", urgent=True)],
        "4.5.19",
        None,
        "URGENT [social.example] install Mastodon 4.5.21 (you run 4.5.19)",
        "Mastodon marks 4.5.21 as urgent. It is a patch of your branch.",
    ),
    (
        "the installed version is not known any more",
        [PLAIN],
        [],
        None,
        None,
        "[social.example] Mastodon 4.5.20 is out",
        "A new release of branch 4.5; not marked urgent.",
    ),
)
def test_subject_and_opening(
    new: list[UpdateNotice],
    pending: list[UpdateNotice],
    installed: str | None,
    ends_on: date | None,
    subject: str,
    opening: str,
) -> None:
    """The subject says what to do, the first line whether it is urgent and where it applies."""
    message = write(new, make_context(pending, installed, ends_on))
    assert (message.subject, body(message)[0]) == (subject, opening)
