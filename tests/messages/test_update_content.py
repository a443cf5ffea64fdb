"""Letters about releases, read as their recipients do."""

from datetime import date

from domain.examples import cases, support
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


def test_an_update_whose_type_is_not_known() -> None:
    """Rows from before the type was computed say no wrong one."""
    message = write([UpdateNotice(version=NEXT.version)])
    assert body(message) == ["A new release of branch 4.6; not marked urgent.", "4.6.9", ADMIN]


ENDS = "ends on 1 December 2026: do not count on fixes after that day, even urgent ones."
ENDED = "ended on 20 November 2026: do not count on fixes any more, even urgent ones."


@cases(
    "stage ends_on urgent subject sentence",
    (SupportStage.TWO_WEEKS, date(2026, 12, 1), False, "; support for 4.5 ends on 1 December", ENDS),
    (SupportStage.ENDED, date(2026, 11, 20), True, "; support for 4.5 ended on 20 November", ENDED),
)
def test_with_a_support_notice(
    stage: SupportStage, ends_on: date, subject: str, sentence: str, *, urgent: bool
) -> None:
    """Updates and support in one message: the subject says both, the text each once; the end is urgent."""
    message = write([support(stage, ends_on), PLAIN], make_context([PLAIN], ends_on=ends_on))
    assert message.subject == f"[social.example] Mastodon 4.5.20 is out (you run 4.5.19){subject}"
    assert body(message)[2] == f"Support for 4.5 {sentence}"
    assert message.text.count("Support for 4.5") + message.text.count("gets fixes") == 1
    is_urgent = message.payload["data"]["urgent"]  # type: ignore[index] # JSON
    assert (message.urgent, is_urgent, message.type) == (urgent, urgent, "update.available")


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


@cases(
    "installed new pending said",
    (
        "the fix of the own branch comes first, then one release of each branch; what lies beyond is not named",
        "4.2.10",
        [minor("4.4.28")],
        [patch("4.2.30", urgent=True), minor("4.3.24"), minor("4.4.28"), NEWEST],
        f"The route to 4.4.28, one after the other: 4.2.30 > 4.3.24 > 4.4.28. {STEPS}",
    ),
    (
        "what an x is, where the update server does not list what has to be passed",
        "3.5.19",
        [NEWEST],
        [NEWEST],
        (
            "The route to 4.7.6, one after the other: 4.0.x > 4.1.x > 4.2.x > 4.3.x > 4.4.x > 4.5.x > 4.6.x > 4.7.6. "
            f"x is the newest patch of that branch. {STEPS}"
        ),
    ),
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
