"""The steps of an upgrade: each kind of installation gets the commands that fit it."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from domain.examples import cases, update, version
from mastodon_update_check.domain.release_details import ReleaseDetails, Requirement, UpgradeStep
from mastodon_update_check.domain.routes import Station, find_stations
from mastodon_update_check.domain.upgrades import CommandValues, InstallKind, Step, write_steps

BUILD_IF_CHANGED = (
    "git diff --quiet v4.5.19 v4.5.20 -- app/assets app/javascript 'config/vite*' 'config/webpack*' 'vite.config*'"
    " || RAILS_ENV=production bundle exec rails assets:precompile"
)
NOTES = "https://github.com/mastodon/mastodon/releases"


def station(text: str) -> Station:
    """Return a station of a listed release, or of a series as `4.6.x`."""
    listed = [] if text.endswith("x") else [replace(update(text), release_notes=f"{NOTES}/tag/v{text}")]
    return find_stations(version("4.5.19"), [*listed, update("4.7.6")])[-2 if text.endswith("x") else 0]


def known(*needed: UpgradeStep, unknown: Sequence[UpgradeStep] = (UpgradeStep.ASSETS,)) -> ReleaseDetails:
    """Return the comparison of 4.5.20 with 4.5.19."""
    found = {step: True if step in needed else None if step in unknown else False for step in UpgradeStep}
    requires = (Requirement(name="PostgreSQL", minimum="14", found="13.14", is_met=False),)
    return ReleaseDetails(
        version=version("4.5.20"), installed=version("4.5.19"), fixes=(), requires=requires, steps=found
    )


def steps(
    kind: InstallKind, to: str = "4.5.20", details: ReleaseDetails | None = None, **installation: object
) -> tuple[Step, ...]:
    """Return the steps from 4.5.19+my."""
    place = CommandValues(**{"kind": kind, "root": "/home/mastodon/live", **installation})  # type: ignore[arg-type]  # by name
    return write_steps(place, station(to), version("4.5.19+my"), details)


def commands(*arguments: object, **installation: object) -> list[str]:
    """Return the commands alone."""
    return [step.text for step in steps(*arguments, **installation) if step.is_command]  # type: ignore[arg-type]  # by name


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
    """Every kind names the release and the place of its notes, listed or not."""
    text = "\n".join(step.text for step in steps(kind))
    assert "4.5.20" in text
    assert f"{NOTES}/tag/v4.5.20" in text
    text = "\n".join(step.text for step in steps(kind, "4.6.x"))
    assert NOTES in text
    assert "4.6" in text


@cases(
    "kind command",
    (InstallKind.DOCKER, "docker compose pull"),
    (InstallKind.YUNOHOST, "yunohost app upgrade mastodon"),
    (InstallKind.NIXOS, "nixos-rebuild switch"),
    (InstallKind.FORK, "sudo -iu mastodon git -C /home/mastodon/live fetch --tags"),
)
def test_only_source_installations_are_checked_out(kind: InstallKind, command: str) -> None:
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


@cases(
    "details expected",
    ("nothing", known(), [BUILD_IF_CHANGED]),
    (
        "everything",
        known(*UpgradeStep, unknown=()),
        [
            "RUBY_CONFIGURE_OPTS=--with-jemalloc rbenv install --skip-existing",
            "bundle install",
            "yarn install",
            "SKIP_POST_DEPLOYMENT_MIGRATIONS=true RAILS_ENV=production bundle exec rails db:migrate",
            "RAILS_ENV=production bundle exec rails assets:precompile",
        ],
    ),
    ("gems", known(UpgradeStep.BUNDLE_INSTALL), ["bundle install", BUILD_IF_CHANGED]),
)
def test_only_the_steps_that_are_needed(details: ReleaseDetails, expected: list[str]) -> None:
    """Between checkout and restart stands what the trees differ in, in the order of Mastodon's guide."""
    found = commands(InstallKind.SOURCE, details=details)
    start, end = found.index("git checkout v4.5.20"), found.index("exit")
    assert found[start + 1 : end] == expected
    migrates = UpgradeStep.MIGRATIONS in details.needed
    assert (found[-2] == "RAILS_ENV=production bundle exec rails db:migrate") is migrates
    assert ("systemctl restart mastodon-web" in found) is (UpgradeStep.RUBY in details.needed)


@cases(
    "details is_restarted is_doubtful",
    (known(), False, False),
    (known(UpgradeStep.RESTART_STREAMING), True, False),
    (known(unknown=list(UpgradeStep)), True, True),
    (None, True, True),
)
def test_streaming(details: ReleaseDetails | None, *, is_restarted: bool, is_doubtful: bool) -> None:
    """It is restarted where it has changed; where that is unknown, only if the notes name it."""
    found = [step.text for step in steps(InstallKind.SOURCE, details=details)]
    assert ("systemctl restart mastodon-streaming" in found) is is_restarted
    assert any(text.startswith("Streaming only if") for text in found) is is_doubtful


@pytest.mark.parametrize("kind", InstallKind)
def test_notes_come_first(kind: InstallKind) -> None:
    """Every kind of installation may have a database server that is too old."""
    place = CommandValues(kind=kind, root="/home/mastodon/live")
    found = write_steps(place, station("4.5.20"), version("4.5.19"), known(), ["Requires PostgreSQL 14."])
    assert found[0] == Step("Requires PostgreSQL 14.")


def test_fork_has_the_commands_of_its_notes() -> None:
    """Streaming is restarted where it has changed."""
    assert "systemctl restart mastodon-streaming" not in commands(InstallKind.FORK, details=known())


@cases(
    "details remark is_migrated",
    (known(), None, False),
    (known(UpgradeStep.MIGRATIONS), "Now the migrations:", True),
    (known(unknown=list(UpgradeStep)), "Now what the release notes say; migrations are usually:", True),
)
def test_migrations_of_containers(details: ReleaseDetails, remark: str | None, *, is_migrated: bool) -> None:
    """Images bring everything else along."""
    remarks = [step.text for step in steps(InstallKind.DOCKER, details=details) if "igrations" in step.text]
    assert remarks == [remark] * is_migrated
    migrate = "docker compose run --rm web bundle exec rails db:migrate"
    assert (migrate in commands(InstallKind.DOCKER, details=details)) is is_migrated


@cases("path is_built", ("app/javascript/main.tsx", True), ("vite.config.mts", True), ("app/models/account.rb", False))
def test_assets_are_built_if_the_code_of_the_front_end_differs(tmp_path: Path, path: str, *, is_built: bool) -> None:
    """The printed command, run in a repository with both tags, asks Git."""
    root, programs = tmp_path / "live", tmp_path / "programs"
    programs.mkdir()
    (programs / "bundle").write_text("#!/bin/sh\necho built\n")
    (programs / "bundle").chmod(0o755)
    (root / path).parent.mkdir(parents=True)
    identity = "-c user.name=mastodon -c user.email=mastodon@social.example"
    script = f"""cd {root} && git init --quiet
    for tag in v4.5.19 v4.5.20; do
      echo $tag > {path} && git add --all && git {identity} commit --quiet --message $tag && git tag $tag
    done
    {BUILD_IF_CHANGED}"""
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null"}
    ended = subprocess.run(("bash", "-c", script), env=environment, check=True, capture_output=True, text=True)
    assert ended.stdout == "built\n" * is_built
