"""Letters about releases, read as their recipients do."""

from datetime import date

import pytest

from domain.examples import support
from mastodon_update_check.domain.notices import SupportStage, UpdateNotice
from messages.writing import ENDS_ON, NOTES, body, make_context, minor, patch, write

PLAIN, URGENT = patch("4.5.20"), patch("4.5.20", urgent=True)
NEXT, NEWEST = minor("4.6.9"), minor("4.7.6", ends_on=date(2028, 1, 1))
ELSEWHERE = minor("4.7.6", urgent=True)
ADMIN = "All pending updates: https://social.example/admin/software_updates"
STEPS = "For the steps, run: sudo mastodon-update-check route"
UNSAID = (
    "The update server does not say what is fixed, or whether only containers are affected: read the release notes. "
    "When you install it, restart Sidekiq too."
)


def test_a_patch() -> None:
    """A bug-fix release of the own branch, no hurry."""
    message = write([PLAIN], make_context([PLAIN, NEXT, NEWEST], ends_on=ENDS_ON))
    assert (message.subject, message.urgent) == ("[social.example] Mastodon 4.5.20 is out (you run 4.5.19)", False)
    assert body(message) == [
        "4.5.20 is a release for your branch; not marked urgent. It installs directly over 4.5.19.",
        "4.5.20 patch https://github.com/mastodon/mastodon/releases/tag/v4.5.20",
        "Also out, not marked urgent: 4.6.9 and 4.7.6. Branch 4.5 gets fixes until 20 February 2027.",
        ADMIN,
    ]


def test_an_urgent_patch() -> None:
    """Urgent updates are for now, others for later."""
    message = write([URGENT, NEWEST], make_context([URGENT, NEXT, NEWEST]))
    assert message.subject == "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
    assert message.urgent
    assert body(message) == [
        "Mastodon marks 4.5.20 as urgent. It is a patch of your branch: no need to go to 4.7 for it.",
        f"now 4.5.20 urgent {NOTES}4.5.20 later 4.7.6 minor {NOTES}4.7.6 supported until 1 January 2028",
        UNSAID,
        f"The route to 4.7.6, one after the other: 4.5.20 > 4.6.9 > 4.7.6. {STEPS}",
        "Also out, not marked urgent: 4.6.9.",
        ADMIN,
    ]


def test_the_list_stands_in_columns() -> None:
    """Plain text shows a table that terminals keep."""
    text = write([URGENT, NEXT], make_context([URGENT, NEXT])).text
    assert (
        "  now    4.5.20  urgent  https://github.com/mastodon/mastodon/releases/tag/v4.5.20\n"
        "  later  4.6.9   minor   https://github.com/mastodon/mastodon/releases/tag/v4.6.9\n"
    ) in text


def test_only_an_urgent_patch() -> None:
    """Nothing beyond it: no word of other branches."""
    assert body(write([URGENT]))[0] == "Mastodon marks 4.5.20 as urgent. It is a patch of your branch."


@pytest.mark.parametrize(
    ("new", "pending", "installed", "ends_on", "subject", "opening"),
    [
        pytest.param(
            [NEXT],
            [NEXT],
            "4.5.20",
            None,
            "[social.example] Mastodon 4.6.9 is out (you run 4.5.20)",
            "A new release of branch 4.6; not marked urgent.",
            id="a minor release",
        ),
        pytest.param(
            [NEWEST, NEXT],
            [NEXT, NEWEST],
            "4.5.20",
            None,
            "[social.example] Mastodon 4.6.9 and 4.7.6 are out (you run 4.5.20)",
            "New releases of other branches; none is marked urgent.",
            id="several minor releases",
        ),
        pytest.param(
            [NEXT, PLAIN],
            [PLAIN, NEXT],
            "4.5.19+glitch",
            None,
            "[social.example] Mastodon 4.5.20 and 4.6.9 are out (you run 4.5.19+glitch)",
            "4.5.20 is a release for your branch; not marked urgent. It installs directly over 4.5.19.",
            id="a patch and a minor release: the own branch first",
        ),
        pytest.param(
            [minor(f"4.{number}.0") for number in range(6, 11)],
            [minor(f"4.{number}.0") for number in range(6, 11)],
            "4.5.20",
            None,
            "[social.example] Mastodon 4.6.0, 4.7.0, 4.8.0 and 2 more are out (you run 4.5.20)",
            "New releases of other branches; none is marked urgent.",
            id="many: three are named",
        ),
        pytest.param(
            [patch("4.7.0")],
            [patch("4.7.0")],
            "4.7.0-beta.1",
            None,
            "[social.example] Mastodon 4.7.0 is out (you run 4.7.0-beta.1)",
            "4.7.0 is a release for your branch; not marked urgent. It installs directly over 4.7.0-beta.1.",
            id="the release of a pre-release is not a patch",
        ),
        pytest.param(
            [ELSEWHERE],
            [ELSEWHERE],
            "4.5.20",
            ENDS_ON,
            "URGENT [social.example] Mastodon 4.7.6 is out: see whether it concerns you (you run 4.5.20)",
            "Mastodon marks 4.7.6 as urgent. It is not of your branch 4.5, for which the update server lists no urgent "
            "release.",
            id="urgent in another branch: nothing is claimed of the own one",
        ),
        pytest.param(
            [ELSEWHERE],
            [URGENT, ELSEWHERE],
            "4.5.19",
            None,
            "URGENT [social.example] Mastodon 4.7.6 is out: see whether it concerns you (you run 4.5.19)",
            "Mastodon marks 4.7.6 as urgent. For your branch there is 4.5.20, marked urgent too.",
            id="urgent in another branch, and in the own one as was notified before",
        ),
        pytest.param(
            [ELSEWHERE],
            [ELSEWHERE],
            "4.3.23",
            date(2026, 5, 6),
            "URGENT [social.example] install Mastodon 4.7.6 (you run 4.3.23)",
            "Mastodon marks 4.7.6 as urgent. Your branch 4.3 is out of support: do not wait for a fix of its own.",
            id="urgent in another branch, and the own one is out of support",
        ),
        pytest.param(
            [patch("4.5.20", urgent=True), patch("4.5.21", urgent=True)],
            [patch("4.5.20", urgent=True), patch("4.5.21", urgent=True)],
            "4.5.19",
            None,
            "URGENT [social.example] install Mastodon 4.5.21 (you run 4.5.19)",
            "Mastodon marks 4.5.21 as urgent. It is a patch of your branch.",
            id="two urgent patches: the newest is the one to install",
        ),
        pytest.param(
            [PLAIN],
            [],
            None,
            None,
            "[social.example] Mastodon 4.5.20 is out",
            "A new release of branch 4.5; not marked urgent.",
            id="the installed version is not known any more",
        ),
    ],
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


def test_an_update_whose_type_is_not_known() -> None:
    """Rows from before the type was computed say no wrong one."""
    message = write([UpdateNotice(version=NEXT.version)])
    assert body(message) == ["A new release of branch 4.6; not marked urgent.", "4.6.9", ADMIN]


@pytest.mark.parametrize(
    ("stage", "ends_on", "urgent", "subject", "sentence"),
    [
        (
            SupportStage.TWO_WEEKS,
            date(2026, 12, 1),
            False,
            "; support for 4.5 ends on 1 December",
            "Support for 4.5 ends on 1 December 2026: do not count on fixes after that day, even urgent ones.",
        ),
        (
            SupportStage.ENDED,
            date(2026, 11, 20),
            True,
            "; support for 4.5 ended on 20 November",
            "Support for 4.5 ended on 20 November 2026: do not count on fixes any more, even urgent ones.",
        ),
    ],
)
def test_with_a_support_notice(
    stage: SupportStage, ends_on: date, subject: str, sentence: str, *, urgent: bool
) -> None:
    """Updates and support in one message: the subject says both, the text each once; the end is urgent."""
    message = write([support(stage, ends_on), PLAIN], make_context([PLAIN], ends_on=ends_on))
    assert message.subject == f"[social.example] Mastodon 4.5.20 is out (you run 4.5.19){subject}"
    assert body(message)[2] == sentence
    assert message.text.count("Support for 4.5") + message.text.count("gets fixes") == 1
    assert (
        message.urgent,
        message.payload["data"]["urgent"],  # type: ignore[index] # JSON
        message.type,
    ) == (urgent, urgent, "update.available")


def test_branch_that_is_out_of_support() -> None:
    """Every message about releases says that the branch is out of support."""
    message = write([PLAIN], make_context([PLAIN], ends_on=date(2026, 5, 6)))
    assert body(message)[2] == "Support for 4.5 ended on 6 May 2026: do not count on fixes any more, even urgent ones."


def test_other_urgent_releases_are_marked() -> None:
    """Urgent releases of other branches are named among the other releases."""
    message = write([PLAIN], make_context([PLAIN, NEXT, ELSEWHERE]))
    assert body(message)[2] == "Also out: 4.7.6 (urgent) and 4.6.9."


def test_at_most_twenty_releases() -> None:
    """Twenty releases are shown, urgent ones first, and how many more there are; elsewhere too."""
    many = [patch(f"4.5.{number}", urgent=number == 20) for number in range(20, 45)]
    rows = write(many).text.split("\n\n")[1].splitlines()
    assert len(rows) == 21
    assert rows[0].split()[1] == "4.5.20"
    assert " ".join(rows[-1].split()) == "and 5 more"
    others = body(write([NEXT], make_context([*many, NEXT])))[3]
    assert others.startswith("Also out: 4.5.20 (urgent), 4.5.44, 4.5.43")
    assert others.endswith(", 4.5.26 and 5 more.")


@pytest.mark.parametrize(
    ("installed", "new", "pending", "said"),
    [
        pytest.param(
            "4.2.10",
            [minor("4.4.28")],
            [patch("4.2.30", urgent=True), minor("4.3.24"), minor("4.4.28"), NEWEST],
            f"The route to 4.4.28, one after the other: 4.2.30 > 4.3.24 > 4.4.28. {STEPS}",
            id="the fix of the own branch comes first, then one release of each branch; what lies beyond is not named",
        ),
        pytest.param(
            "3.5.19",
            [NEWEST],
            [NEWEST],
            "The route to 4.7.6, one after the other: 4.0.x > 4.1.x > 4.2.x > 4.3.x > 4.4.x > 4.5.x > 4.6.x > 4.7.6. "
            f"x is the newest patch of that branch. {STEPS}",
            id="what an x is, where the update server does not list what has to be passed",
        ),
    ],
)
def test_route(installed: str, new: list[UpdateNotice], pending: list[UpdateNotice], said: str) -> None:
    """Where it takes more than one upgrade, one line says which, and where the steps are."""
    assert body(write(new, make_context(pending, installed)))[2] == said


def test_no_route() -> None:
    """A release that installs directly has no route, also with others pending."""
    assert STEPS not in write([PLAIN], make_context([PLAIN, NEXT, NEWEST])).text


def test_an_urgent_patch_of_a_branch_out_of_support() -> None:
    """It is never called enough to stay there: the next upgrade is named."""
    patched, away = patch("4.4.20", urgent=True), minor("4.6.3", urgent=True)
    context = make_context([patched, away], "4.4.1", date(2026, 10, 14))
    found = body(write([patched, away], context))
    assert found[0] == (
        "Mastodon marks 4.4.20 as urgent. It is a patch of your branch 4.4, which is out of support. "
        "Upgrade to 4.6.3 next."
    )
    assert "no need" not in " ".join(found)
    assert "no need" in body(write([patched, away], make_context([patched, away], "4.4.1")))[0]
