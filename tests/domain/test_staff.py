"""Which members of staff are notified: roles, accounts, addresses."""

from collections.abc import Mapping

import pytest

from domain.examples import cases
from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.staff import StaffReason, StaffRow, StaffVerdict, judge

INVITE = 1 << 16
OWNER = {
    "id": 7,
    "role_id": 3,
    "role": "Owner",
    "permissions": 1,
    "everyone_permissions": INVITE,
    "admin": False,
    "email": "alice@social.example",
    "locale": "de",
    "settings": None,
    "confirmed": True,
    "approved": True,
    "disabled": False,
    "name": "alice",
    "suspended": False,
    "memorial": False,
    "being_deleted": False,
}


def row(**changes: object) -> StaffRow:
    """Return the row of an owner whose account works, with these changes."""
    return StaffRow.parse(OWNER | changes)


def test_verdict() -> None:
    """An owner is notified at the address of the account, in the account's language, by the default preference."""
    user = Recipient(
        sink="email",
        key="user:7",
        address="alice@social.example",
        preference=Preference.CRITICAL,
        wants_support=True,
        name="alice",
        role="Owner",
        locale="de",
    )
    assert judge(row()) == StaffVerdict(user=user, reason=StaffReason.VIEWS_DEVOPS)


@cases(
    "values",
    ("nothing", {}),
    ("an id that is a text", OWNER | {"id": "7"}),
    ("no permissions", OWNER | {"permissions": None}),
    ("a number as a name", OWNER | {"name": 7}),
    ("a text as a flag", OWNER | {"disabled": "f"}),
    ("a column that is missing", {name: value for name, value in OWNER.items() if name != "memorial"}),
)
def test_row_of_another_form(values: Mapping[str, object]) -> None:
    """A row that our query does not return is refused, with the name of the column."""
    with pytest.raises(ValueError, match=r"^staff without a valid [a-z_]+$"):
        StaffRow.parse(values)


@cases(
    "number permissions everyone notified",
    ("the DevOps flag alone is enough", 3, 2, 0, True),
    ("administrator stands for every flag", 3, 1, 0, True),
    ("every flag but these two is not enough", 3, 0xFFFFFF & ~3, 0, False),
    ("no flag at all", 3, 0, INVITE, False),
    ("everyone's DevOps flag is every role's", 3, 1 << 4, 2, True),
    ("everyone's administrator flag too, and it stands for every flag", 3, 0, 1, True),
    ("the everyone role itself, with the flag", -99, 2, 2, True),
    ("the everyone role itself: administrator stands for nothing else", -99, 1, 1, False),
    ("the everyone role as it is", -99, INVITE, INVITE, False),
    ("flags that are not known", 3, 1 << 62, 1 << 40, False),
    ("the highest bit is a sign: all flags", 3, -1, 0, True),
)
def test_roles(*, number: int, permissions: int, everyone: int, notified: bool) -> None:
    """Mastodon's own rules decide who can view DevOps."""
    verdict = judge(row(role_id=number, permissions=permissions, everyone_permissions=everyone))
    expected = StaffReason.VIEWS_DEVOPS if notified else StaffReason.CANNOT_VIEW_DEVOPS
    assert (verdict.reason, verdict.recipient is not None) == (expected, notified)


def test_roleless_user() -> None:
    """A user without a role is not notified, even when everyone may view DevOps."""
    verdict = judge(row(role_id=None, role=None, permissions=0, everyone_permissions=3))
    assert (verdict.reason, verdict.recipient) == (StaffReason.NO_ROLE, None)


@cases("admin expected", (True, StaffReason.VIEWS_DEVOPS), (False, StaffReason.NO_ROLE))
def test_before_roles(*, admin: bool, expected: StaffReason) -> None:
    """Before 4.0, administrators are notified."""
    verdict = judge(row(role_id=None, role="admin", permissions=0, admin=admin))
    assert (verdict.reason, verdict.user.role) == (expected, "admin")


def test_old_flag_beside_a_role() -> None:
    """The flag that 4.0 left behind gives no rights."""
    assert judge(row(role_id=1, permissions=1 << 4, admin=True)).reason == StaffReason.CANNOT_VIEW_DEVOPS


@cases(
    "changes expected",
    ("not confirmed", {"confirmed": False}, StaffReason.UNCONFIRMED),
    ("not approved", {"approved": False}, StaffReason.UNAPPROVED),
    ("null is not approved", {"approved": None}, StaffReason.UNAPPROVED),
    ("disabled", {"disabled": True}, StaffReason.DISABLED),
    ("suspended", {"suspended": True}, StaffReason.SUSPENDED),
    ("memorial", {"memorial": True}, StaffReason.MEMORIAL),
    ("a deletion is asked for", {"being_deleted": True}, StaffReason.BEING_DELETED),
    ("suspended comes with a deletion", {"suspended": True, "being_deleted": True}, StaffReason.SUSPENDED),
    ("no address", {"email": ""}, StaffReason.BAD_ADDRESS),
    ("null for an address", {"email": None}, StaffReason.BAD_ADDRESS),
    ("no permission goes before the account", {"permissions": 0, "disabled": True}, StaffReason.CANNOT_VIEW_DEVOPS),
    ("nothing is known of the account", {"disabled": None, "memorial": None}, StaffReason.VIEWS_DEVOPS),
)
def test_accounts(changes: Mapping[str, object], expected: StaffReason) -> None:
    """Only users whose account works are notified."""
    verdict = judge(row(**changes))
    assert (expected, expected is StaffReason.VIEWS_DEVOPS) == (verdict.reason, verdict.recipient is not None)


def test_account_without_a_name() -> None:
    """The id stands for the name."""
    assert judge(row(name=None)).user.name == "user 7"


@cases(
    "address fine",
    ("international", "ålice@bücher.example", True),
    ("no at", "alice", False),
    ("a line break inside", "alice@social.example\r\nBcc: x@y.example", False),
)
def test_addresses(*, address: str, fine: bool) -> None:
    """Only what a mail server could accept is sent to; the others are skipped, with a warning on one line."""
    verdict = judge(row(email=address))
    assert (fine, 0 if fine else 1) == (verdict.recipient is not None, len(verdict.warnings))
    assert all(text.isprintable() for text in verdict.warnings)


def test_warning_about_an_address() -> None:
    """The warning names the user and shows the address on one line."""
    expected = "alice gets no mail: 'alice@social.example Bcc: x@y' is not an address that a mail server could accept"
    assert judge(row(email="alice@social.example\r\nBcc: x@y")).warnings == (expected,)


def test_preferences() -> None:
    """The settings decide which notices a user gets; the warning about a defect has the name."""
    settings = '{"notification_emails.software_updates": "none", "notification_emails.end_of_support": "no"}'
    verdict = judge(row(settings=settings))
    assert verdict.recipient is not None
    assert (verdict.recipient.preference, verdict.recipient.wants_support) == (Preference.NONE, True)
    defect = "neither true nor false but 'no' (notification_emails.end_of_support), taken as true"
    assert verdict.warnings == (f"alice has {defect}",)


def test_settings_of_a_user_who_is_not_notified() -> None:
    """Settings of a user who is not notified cause no warning."""
    assert judge(row(settings="{", disabled=True)).warnings == ()


def test_outside_texts_are_bounded() -> None:
    """Names and languages come out on one line and short."""
    verdict = judge(row(role="O\nwner" * 1000, name="a\x1b[1m" * 1000, locale="d\n" * 1000))
    assert verdict.recipient is not None
    texts = (verdict.user.name, verdict.user.role, verdict.recipient.locale)
    assert all(text.isprintable() and len(text) <= 200 for text in texts)
