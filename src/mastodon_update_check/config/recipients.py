"""Mail addresses, and the lists of recipients and sinks; the functions are like those in `kinds`."""

from dataclasses import dataclass, field

from mastodon_update_check.config.kinds import UnexpectedValueError, one_of, parse_text
from mastodon_update_check.domain import addresses as mail
from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.text import clean

DEVOPS = "devops"
_GOT_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Recipients:
    """The value of `UPDATE_CHECK_RECIPIENTS`."""

    devops: bool = True
    """Whether Mastodon's DevOps users get mail, each by their own preference."""
    addresses: tuple[tuple[str, Preference], ...] = field(default=(), repr=False)


def parse_recipients(text: str) -> Recipients:
    """Read `devops` and mail addresses, each of these with `=` and a preference if wanted."""
    devops, addresses = False, []
    for number, entry in enumerate(_entries(text), 1):
        if entry.lower() == DEVOPS:
            devops = True
        elif entry.lower().startswith(f"{DEVOPS}="):
            raise UnexpectedValueError(
                "devops without a preference, because each DevOps user has one in Mastodon",
                f"got one in entry {number}",
            )
        else:
            addresses.append(_addressed(number, entry))
    _refuse_repeated([address for address, _ in addresses])
    return Recipients(devops, tuple(addresses))


def parse_addresses(text: str) -> tuple[str, ...]:
    """Read comma-separated mail addresses."""
    addresses = [_address(number, entry) for number, entry in enumerate(_entries(text), 1)]
    _refuse_repeated(addresses)
    return tuple(addresses)


def parse_sinks(text: str) -> tuple[str, ...]:
    """Read comma-separated names of sinks, which need not exist."""
    return tuple(dict.fromkeys(entry.lower() for entry in _entries(text)))


def parse_address(text: str) -> str:
    """Read a mail address; its domain may be an international one."""
    try:
        mail.parse_address(text.strip())
    except ValueError:
        raise UnexpectedValueError("a mail address such as admin@social.example, without a name") from None
    return text.strip()


def parse_mailbox(text: str) -> str:
    """Read a mail address, or a name and a mail address in angle brackets: one of ours, for any mail server."""
    mailbox = parse_text(text)
    try:
        local = mail.parse_mailbox(mailbox).local
    except ValueError:
        expected = "a mail address: admin@social.example or Name <admin@social.example>"
        raise UnexpectedValueError(expected) from None
    if not local.isascii():
        raise UnexpectedValueError("a mail address with only ASCII before the @")
    return mailbox


def _entries(text: str) -> list[str]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise UnexpectedValueError("at least one entry", "got none")
    return entries


def _addressed(number: int, entry: str) -> tuple[str, Preference]:
    address, equals, word = entry.rpartition("=")
    if not equals or "@" in word:  # an address may hold `=`, before its `@`
        return _address(number, entry), Preference.ALL
    if not address.strip():
        raise UnexpectedValueError("a mail address before the = of each entry", f"got nothing there in entry {number}")
    if word.strip().lower() not in set(Preference):
        raise UnexpectedValueError(f"{one_of(Preference)} behind the = of entry {number}", _got(word))
    return _address(number, address), Preference(word.strip().lower())


def _address(number: int, entry: str) -> str:
    if ";" in entry or len(entry.split()) > 1:
        sign = "a semicolon" if ";" in entry else "a space"
        raise UnexpectedValueError("entries separated by commas", f"got {sign} in entry {number}: write a comma there")
    try:
        return parse_address(entry)
    except UnexpectedValueError as error:
        raise UnexpectedValueError(f"in entry {number} {error}", _got(entry)) from error


def _got(text: str) -> str:
    return f'got "{clean(text, _GOT_CHARACTERS)}"'


def _refuse_repeated(addresses: list[str]) -> None:
    if len(set(map(mail.normalise_address, addresses))) < len(addresses):
        raise UnexpectedValueError("each address once", "got one of them twice")
