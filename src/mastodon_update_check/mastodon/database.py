"""Mastodon's database: its staff, and the migrations that have run.

The conversation is held by a process of its own (`database_session.main`), which is killed when its time is up. Logins
that come from Mastodon's file get an environment without PG variables and without a home directory, where libpq would
look for passwords and certificates.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from mastodon_update_check.domain.staff import DatabaseAnswer, StaffRow, judge
from mastodon_update_check.domain.text import clean, cut_warnings
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.mastodon.database_address import VARIABLE, DatabaseAddress

STAFF_ROWS: Final = 1000
_CHILD: Final = (
    "import json, sys; request = json.load(sys.stdin); sys.path[:] = request.pop('path'); "
    "from mastodon_update_check.mastodon.database_session import main; main(**request)"
)
_NO_LIBPQ: Final = "PostgreSQL's client library is missing: install libpq5, or mastodon-update-check[binary]"

_NOT_OPENED: Final = f"{{}} names files, which are not opened ({{}}): if they are needed, set {VARIABLE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseBounds:
    """Limits of one conversation."""

    connect: timedelta = timedelta(seconds=5)
    """For each address of the host; whole seconds, at least two (libpq)."""
    statement: timedelta = timedelta(seconds=5)
    lock: timedelta = timedelta(seconds=3)
    total: timedelta = timedelta(seconds=15)
    """For name resolution, all logins, all addresses and all queries together."""
    memory_bytes: int = 128 * 1024 * 1024


BOUNDS: Final = DatabaseBounds()


def ask_first(addresses: Sequence[DatabaseAddress], *, bounds: DatabaseBounds = BOUNDS) -> DatabaseAnswer:
    """Return the answer of the first address that gives one; a `CheckError` says what each of them lacks."""
    failures = [address.problem for address in addresses if address.problem]
    asked = [address for address in addresses if not address.problem]
    place = ""
    for event in _converse(asked, bounds) if asked else ():
        if "answer" in event:
            warnings = [_NOT_OPENED.format(one.origin, ", ".join(one.ignored)) for one in asked if one.ignored]
            return read_answer(event["answer"], warnings[:1])
        place = event.get("place", "")
        failures += [event["failure"]] if "failure" in event else []
    if place or not failures:
        failures.append(f"PostgreSQL at {place or 'the configured place'} did not answer in time")
    raise CheckError(Cause.DATABASE, "; and ".join(reversed(failures)))


def read_answer(answer: Mapping[str, Any], warnings: Sequence[str] = ()) -> DatabaseAnswer:
    """Return what the process has read from the database, judged; a `CheckError` if something has another form."""
    try:
        rows = [StaffRow.parse(row) for row in answer["rows"]]
        migrations = answer["migrations"]
        if not all(isinstance(one, str) and one.isdecimal() for one in migrations or ()):
            raise ValueError("a migration whose version is not a number")  # noqa: TRY301 - explained below
    except ValueError as error:
        detail = f"{clean(answer['through'])} returns {error}: run `mastodon-update-check setup` again"
        raise CheckError(Cause.DATABASE, detail) from error
    verdicts = tuple(map(judge, rows[:STAFF_ROWS]))
    excess = (f"more than {STAFF_ROWS} users have a staff role: the others are ignored",) * (len(rows) > STAFF_ROWS)
    return DatabaseAnswer(
        verdicts=verdicts,
        warnings=(*warnings, *excess, *cut_warnings([each for verdict in verdicts for each in verdict.warnings])),
        through=answer["through"],
        may_write=bool(answer["may_write"]),
        server_version=clean(str(answer["server_version"]), 40).partition(" ")[0],
        migrations=None if migrations is None else frozenset(migrations),
        migrations_problem=answer["migrations_problem"],
    )


def make_request(addresses: Sequence[DatabaseAddress], bounds: DatabaseBounds) -> dict[str, Any]:
    """Return the arguments of `database_session.main`; durations in seconds."""
    limits = {name: one.total_seconds() if isinstance(one, timedelta) else one for name, one in asdict(bounds).items()}
    logins = [{"origin": one.origin, "conninfo": one.conninfo, "parameters": dict(one.parameters)} for one in addresses]
    return {"logins": logins, "limits": limits}


def _converse(addresses: Sequence[DatabaseAddress], bounds: DatabaseBounds) -> Iterator[dict[str, Any]]:
    """Yield the events of the process (`database_session.ask_each`), which ends when its time is up."""
    environment = dict(os.environ)
    if not all(one.conninfo for one in addresses):
        environment = {name: text for name, text in environment.items() if not name.startswith("PG")}
        environment["HOME"] = "/nonexistent"
    # -I and -S: neither the environment nor the working directory decides which modules are imported.
    process = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-IS", "-c", _CHILD],
        input=json.dumps({"path": sys.path, **make_request(addresses, bounds)}),
        capture_output=True,  # no more than `database_session.TOTAL_BYTES`, and its memory
        env=environment,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    for line in process.stdout.splitlines():
        try:
            yield json.loads(line)
        except ValueError:  # killed while it was writing
            break
    if process.returncode not in {0, -signal.SIGALRM}:
        why = clean(process.stderr.strip().rpartition("\n")[2]) or f"status {process.returncode}"
        fault = _NO_LIBPQ if "import" in why.lower() else "the process that asks Mastodon's database failed"
        raise CheckError(Cause.DATABASE, f"{fault}: {why}")
