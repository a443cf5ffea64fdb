"""The lists: who is told, who runs this tool, which sinks are used."""

from dataclasses import dataclass, field

from mastodon_update_check.config.hosts import parse_address
from mastodon_update_check.config.kinds import one_of
from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.recipients import Preference

DEVOPS = "devops"


@dataclass(frozen=True, slots=True)
class Recipients:
    """The value of `UPDATE_CHECK_RECIPIENTS`."""

    devops: bool = True
    """Whether Mastodon's DevOps users are told, each by their own preference."""
    addresses: tuple[tuple[str, Preference], ...] = field(default=(), repr=False)


def parse_recipients(text: str) -> Recipients:
    """Read `devops` and mail addresses, each of these with `=` and a preference if wanted."""
    devops, addresses = False, []
    for number, entry in enumerate(_entries(text), 1):
        if entry.lower() == DEVOPS:
            devops = True
        elif entry.lower().startswith(f"{DEVOPS}="):
            raise ValueError(f"gives {DEVOPS} a preference: each of these users has one in Mastodon")
        else:
            addresses.append(_addressed(number, entry))
    _refuse_repeated([address for address, _ in addresses])
    return Recipients(devops, tuple(addresses))


def parse_addresses(text: str) -> tuple[str, ...]:
    """Read mail addresses with commas between."""
    addresses = [_address(number, entry) for number, entry in enumerate(_entries(text), 1)]
    _refuse_repeated(addresses)
    return tuple(addresses)


def parse_sinks(text: str) -> tuple[str, ...]:
    """Read names of sinks with commas between; whether there are such sinks is not asked here."""
    return tuple(dict.fromkeys(entry.lower() for entry in _entries(text)))


def _entries(text: str) -> list[str]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise ValueError("lists nothing: names with commas between are allowed")
    return entries


def _addressed(number: int, entry: str) -> tuple[str, Preference]:
    address, equals, word = entry.rpartition("=")
    if not equals or "@" in word:  # an address may hold `=`, before its `@`
        return _address(number, entry), Preference.ALL
    if word.strip().lower() not in set(Preference):
        raise ValueError(f"has an unknown preference in entry {number}: {one_of(Preference)}")
    return _address(number, address), Preference(word.strip().lower())


def _address(number: int, entry: str) -> str:
    try:
        return parse_address(entry)
    except ValueError as error:
        raise ValueError(f"has a wrong entry {number}, which {error}") from error


def _refuse_repeated(addresses: list[str]) -> None:
    seen = set()
    for address in map(normalise_address, addresses):
        if address in seen:
            raise ValueError("lists an address twice: once is enough")
        seen.add(address)
