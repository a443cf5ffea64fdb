"""Subjects and first lines of letters about releases: what to do, whether it is urgent, and where it applies."""

from datetime import date

from domain.examples import cases
from mastodon_update_check.messages.message import Message
from messages.writing import ENDS_ON, body, make_context, minor, patch, write

MANY = "4.6.0 4.7.0 4.8.0 4.9.0 4.10.0"
OVER = date(2026, 5, 6)


def about(new: str, pending: str, installed: str | None, ends_on: date | None = None) -> Message:
    """Write the message about these releases; an urgent one has a `!`. The new ones are pending too."""
    found = {
        name: (patch if name.startswith((installed or "")[:4]) else minor)(name.rstrip("!"), urgent="!" in name)
        for name in f"{new} {pending}".split()
    }
    pending_now = [*found.values()] if installed else []
    return write([found[name] for name in new.split()], make_context(pending_now, installed, ends_on))


@cases(
    "new pending installed ends_on subject",
    ("a minor release", "4.6.9", "", "4.5.20", None, "Mastodon 4.6.9 is out"),
    ("several minor releases", "4.7.6 4.6.9", "", "4.5.20", None, "Mastodon 4.6.9 and 4.7.6 are out"),
    ("the own branch first", "4.6.9 4.5.20", "", "4.5.19+glitch", None, "Mastodon 4.5.20 and 4.6.9 are out"),
    ("many: three are named", MANY, "", "4.5.20", None, "Mastodon 4.6.0, 4.7.0, 4.8.0 and 2 more are out"),
    ("the release of a pre-release", "4.7.0", "", "4.7.0-beta.1", None, "Mastodon 4.7.0 is out"),
    ("elsewhere", "4.7.6!", "", "4.5.20", ENDS_ON, "URGENT Mastodon 4.7.6 is out: see whether it concerns you"),
    ("both", "4.7.6!", "4.5.20!", "4.5.19", None, "URGENT Mastodon 4.7.6 is out: see whether it concerns you"),
    ("the own branch is out of support", "4.7.6!", "", "4.3.23", OVER, "URGENT install Mastodon 4.7.6"),
    ("two: the newest is the one to install", "4.5.20! 4.5.21!", "", "4.5.19", None, "URGENT install Mastodon 4.5.21"),
    ("the installed version is not known any more", "4.5.20", "", None, None, "Mastodon 4.5.20 is out"),
)
def test_subject(new: str, pending: str, installed: str | None, ends_on: date | None, subject: str) -> None:
    """It says what to do, on which server, and what runs there."""
    _, mark, said = subject.rpartition("URGENT ")
    runs = f" (you run {installed})" if installed else ""
    assert about(new, pending, installed, ends_on).subject == f"{mark}[social.example] {said}{runs}"


OWN = "4.5.20 is a release for your branch; not marked urgent. It installs directly over 4.5.19."
RELEASED = "4.7.0 is a release for your branch; not marked urgent. It installs directly over 4.7.0-beta.1."
NOTHING_OF_OWN = "It is not of your branch 4.5, for which the update server lists no urgent release."
UNSUPPORTED = "Your branch 4.3 is out of support: do not wait for a fix of its own."


@cases(
    "new pending installed ends_on opening",
    (
        "nothing beyond it",
        "4.5.20!",
        "",
        "4.5.19",
        None,
        "Mastodon marks 4.5.20 as urgent. It is a patch of your branch.",
    ),
    ("a minor release", "4.6.9", "", "4.5.20", None, "A new release of branch 4.6; not marked urgent."),
    ("several", "4.7.6 4.6.9", "", "4.5.20", None, "New releases of other branches; none is marked urgent."),
    ("the own branch first", "4.6.9 4.5.20", "", "4.5.19+glitch", None, OWN),
    ("the release of a pre-release", "4.7.0", "", "4.7.0-beta.1", None, RELEASED),
    ("elsewhere", "4.7.6!", "", "4.5.20", ENDS_ON, f"Mastodon marks 4.7.6 as urgent. {NOTHING_OF_OWN}"),
    (
        *("in both, and of the own one was notified before", "4.7.6!", "4.5.20!", "4.5.19", None),
        "Mastodon marks 4.7.6 as urgent. For your branch there is 4.5.20, marked urgent too.",
    ),
    ("out of support", "4.7.6!", "", "4.3.23", OVER, f"Mastodon marks 4.7.6 as urgent. {UNSUPPORTED}"),
    ("the installed version is not known", "4.5.20", "", None, None, "A new release of branch 4.5; not marked urgent."),
)
def test_opening(new: str, pending: str, installed: str | None, ends_on: date | None, opening: str) -> None:
    """The first line says whether it is urgent and where it applies."""
    assert body(about(new, pending, installed, ends_on))[0] == opening
