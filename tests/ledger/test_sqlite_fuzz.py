"""Ledgers with flipped bytes and missing parts: each operation works or raises a clear error."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.examples import ALICE, BOB, DAY, INSTANCE, NOW, SINKS, facts, update
from ledger.steps import accept, defer, find_attempt, record_heartbeat, replan
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation

RELEASES = [update(f"4.5.{number}") for number in range(1, 12)]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a ledger with a sent, an open and a pending message."""
    path = tmp_path_factory.mktemp("good") / "ledger.sqlite3"
    with Ledger.create(SqliteLocation(path), INSTANCE) as ledger:
        for number in (3, 7, 11):
            replan(ledger, facts(*RELEASES[:number], to=(ALICE, BOB)))
            for settle in (accept, defer):
                attempt = find_attempt(ledger)
                assert attempt is not None
                settle(ledger, attempt)
        with ledger.writing() as transaction:
            transaction.keep_state(ServerState(checked_at=NOW, devops=(ALICE, BOB)), NOW)
        record_heartbeat(ledger, "web1", NOW)
    return path.read_bytes()


def flip(content: bytes, chance: random.Random) -> bytes:
    """Change up to eight bytes, most of them where something is written."""
    changed = bytearray(content)
    written = [place for place in range(len(changed)) if changed[place]]
    for _ in range(chance.randint(1, 8)):
        changed[chance.choice(written)] = chance.randrange(256)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    """Lose the end, or a part in the middle."""
    begin, end = sorted(chance.sample(range(len(content)), 2))
    return content[:begin] + (content[end:] if chance.random() < 0.5 else b"")


def blank(content: bytes, chance: random.Random) -> bytes:
    """Lose a sector, as a disk does."""
    begin = chance.randrange(len(content) // 512) * 512
    return content[:begin] + bytes(512) + content[begin + 512 :]


@contextmanager
def said(path: Path) -> Iterator[None]:
    """Let an error pass if it is a sentence that names the ledger and fits on a line."""
    try:
        yield
    except LedgerError as error:
        sentence = str(error)
    else:
        return
    assert str(path) in sentence
    assert sentence.isprintable()


def use(path: Path) -> None:
    """Do everything that a day of the daemon does, and `status`."""
    with Ledger.open(SqliteLocation(path), INSTANCE) as ledger:
        for step in (
            ledger.state,
            ledger.instances,
            lambda: ledger.fingerprint("text"),
            lambda: ledger.nodes(NOW),
            lambda: ledger.close_open_attempts(NOW),
            lambda: ledger.summary(NOW + DAY, SINKS),
            lambda: ledger.next_due_at("email", NOW),
            lambda: replan(ledger, facts(*RELEASES, to=(ALICE, BOB), now=NOW + DAY)),
            lambda: deliver(ledger),
            lambda: record_heartbeat(ledger, "web1", NOW),
        ):
            with said(path):
                step()


def deliver(ledger: Ledger) -> None:
    """Deliver the messages that are due."""
    for _ in range(20):
        attempt = find_attempt(ledger, NOW + DAY)
        if attempt is None:
            return
        accept(ledger, attempt, NOW + DAY)


@pytest.mark.parametrize("harm", [flip, cut, blank])
@pytest.mark.parametrize("seed", [*range(25), 1472, 1668])
def test_damage_is_said(tmp_path: Path, good: bytes, harm: type, seed: int) -> None:
    """No damage leads to anything but a sentence."""
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(harm(good, random.Random(seed)))  # noqa: S311 - the same damage each time
    with said(path):
        use(path)
