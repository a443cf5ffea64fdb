"""The facts for `route`, asked for now; nothing is stored, and recipients are not looked up."""

import os
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.domain.upgrades import CommandValues
from mastodon_update_check.errors import CheckError
from mastodon_update_check.host.mastodon_units import find_owner, find_units
from mastodon_update_check.jobs.check import learn
from mastodon_update_check.jobs.observe import inquire
from mastodon_update_check.jobs.recipients import People
from mastodon_update_check.mastodon.installation import detect_kind

_NOBODY = People(recipients=(), answer=DatabaseAnswer())


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """The state of the server, and how it was installed."""

    knowledge: ServerState
    installation: CommandValues
    error: CheckError | None
    """Why the update server could not be asked; the last good answers stand."""


def survey(settings: Settings, known: ServerState, now: datetime) -> Surveyed:
    """Ask which version is installed and what is newer, and look how Mastodon was installed."""
    findings = inquire(settings, known, now, _NOBODY)
    learned = learn(known, findings, now)
    root = settings.mastodon_root
    return Surveyed(
        knowledge=learned,
        installation=CommandValues(
            kind=settings.install_kind or detect_kind(root, learned.installed),
            root=os.fspath(root),
            user=find_owner(root),
            units=find_units(root),
        ),
        error=findings.error,
    )
