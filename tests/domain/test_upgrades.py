"""The steps of an upgrade: each kind of installation gets the commands that fit it."""

import shlex
from dataclasses import replace

import pytest

from domain.examples import update, version
from mastodon_update_check.domain.routes import Station, find_stations
from mastodon_update_check.domain.upgrades import Command, Installation, InstallKind, Step, write_steps

NOTES = "https://github.com/mastodon/mastodon/releases"


def station(text: str) -> Station:
    """Return a station of a listed release, or of a series as `4.6.x`."""
    listed = [] if text.endswith("x") else [replace(update(text), release_notes=f"{NOTES}/tag/v{text}")]
    return find_stations(version("4.5.19"), [*listed, update("4.7.6")])[-2 if text.endswith("x") else 0]


def steps(kind: InstallKind, to: str = "4.5.20", **installation: object) -> tuple[Step, ...]:
    """Return the steps from 4.5.19+my."""
    place = Installation(**{"kind": kind, "root": "/home/mastodon/live", **installation})  # type: ignore[arg-type]  # by name
    return write_steps(place, station(to), version("4.5.19+my"))


def commands(*arguments: object, **installation: object) -> list[str]:
    """Return the commands alone."""
    return [step.text for step in steps(*arguments, **installation) if isinstance(step, Command)]  # type: ignore[arg-type]  # by name


def test_source_follows_mastodons_guide() -> None:
    """Fetch, check out, and in this order Sidekiq, web, streaming; with this server's user, path and units."""
    expected = [
        "sudo -iu masto",
        "cd '/srv/my masto/live'",
        "git fetch --tags",
        "git checkout v4.5.20",
        "exit",
        "systemctl restart masto-sidekiq-default masto-sidekiq-push",
        "systemctl reload masto-web",
        "systemctl restart masto-streaming@4000",
    ]
    units = ("masto-sidekiq-default", "masto-sidekiq-push", "masto-streaming@4000", "masto-web")
    assert commands(InstallKind.SOURCE, user="masto", root="/srv/my masto/live", units=units) == expected


def test_series_that_is_not_listed_is_looked_up() -> None:
    """Which patch is its newest, git knows."""
    found = commands(InstallKind.SOURCE, "4.6.x")
    assert found[3:5] == ["git tag --list 'v4.6.*' --sort=version:refname", "git checkout v4.6.x"]


@pytest.mark.parametrize("kind", InstallKind)
def test_every_kind_names_the_release_and_its_notes(kind: InstallKind) -> None:
    """Whatever the kind: which release, and where its notes are; listed or not."""
    text = "\n".join(step.text for step in steps(kind))
    assert "4.5.20" in text
    assert f"{NOTES}/tag/v4.5.20" in text
    text = "\n".join(step.text for step in steps(kind, "4.6.x"))
    assert NOTES in text
    assert "4.6" in text


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        (InstallKind.DOCKER, "docker compose pull"),
        (InstallKind.YUNOHOST, "yunohost app upgrade mastodon"),
        (InstallKind.NIXOS, "nixos-rebuild switch"),
        (InstallKind.FORK, "sudo -iu mastodon git -C /home/mastodon/live fetch --tags"),
    ],
)
def test_what_is_not_from_source_is_not_checked_out(kind: InstallKind, command: str) -> None:
    """Mastodon's own tag would throw away what packagers and forks have made of it."""
    found = commands(kind)
    assert command in found
    assert not [one for one in found if "checkout" in one]


def test_strange_names_stay_one_word() -> None:
    """Neither a path nor a version is more than that to the shell that it is pasted into."""
    root = "/srv/$(reboot)'; x"
    assert shlex.split(commands(InstallKind.SOURCE, root=root)[1]) == ["cd", root]
    assert shlex.split(commands(InstallKind.SOURCE, "4.5.20;$(reboot) y")[3]) == [
        "git",
        "checkout",
        "v4.5.20_reboot_y",
    ]
