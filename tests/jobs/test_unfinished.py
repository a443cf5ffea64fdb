"""Whether an upgrade was finished, by a tree, a database and the services of a host."""

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.examples import NOW, version
from mastodon_update_check.domain.server.installed import VersionReading
from mastodon_update_check.domain.server.problems import list_left
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.host.programs import Finished, Run
from mastodon_update_check.jobs.check import learn
from mastodon_update_check.jobs.observe import TOLERANCE, Findings, outdated_services
from mastodon_update_check.jobs.recipients import People
from mastodon_update_check.mastodon.tree import MIGRATIONS_KEPT, NAMES_READ, list_migrations, pending_migrations
from simulators.mastodon_tree import configured, write_tree

FIRST, SECOND, POST = "20230101000001", "20240202000002", "20240303000003"
HOUR = timedelta(hours=1)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Have a tree with three migrations, one of which is a post-deployment migration."""
    root = write_tree(tmp_path / "live", configured("4.5.20"))
    write(root, f"db/migrate/{FIRST}_create_accounts.rb", f"db/migrate/{SECOND}_add_column.rb")
    write(root, f"db/post_migrate/{POST}_drop_column.rb", "streaming/index.js", "streaming/package.json")
    return root


def write(root: Path, *names: str) -> None:
    """Create files."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param({FIRST, SECOND, POST, "20180101000000"}, (), id="all have run, and older ones"),
        pytest.param({FIRST, SECOND}, (POST,), id="a post-deployment migration is pending"),
        pytest.param({FIRST}, (SECOND, POST), id="several are pending"),
        pytest.param({"20180101000000"}, None, id="the database of another tree"),
        pytest.param(set(), None, id="an empty answer"),
        pytest.param(None, None, id="not asked"),
    ],
)
def test_pending_migrations(tree: Path, run: set[str] | None, expected: tuple[str, ...] | None) -> None:
    """Those of the tree that the database has not run, in order; unknown is not "none"."""
    assert pending_migrations(tree, None if run is None else frozenset(run)) == expected


def test_newest_of_many_pending_migrations_are_kept(tree: Path) -> None:
    """A tree with thousands of made-up migrations makes no notice of hundreds of kilobytes."""
    write(tree, *(f"db/migrate/{20250101000000 + number}_made_up.rb" for number in range(300)))
    pending = pending_migrations(tree, frozenset({FIRST}))
    assert pending is not None
    assert (len(pending), pending[-1]) == (MIGRATIONS_KEPT, "20250101000299")


def test_other_files_are_not_migrations(tree: Path) -> None:
    """Neither by their names nor by what they are."""
    write(tree, "db/migrate/.keep", "db/migrate/2024_x.rb", f"db/migrate/{SECOND}0_x.rb", f"db/migrate/{SECOND}_x.py")
    assert list_migrations(tree) == frozenset({FIRST, SECOND, POST})


@pytest.mark.parametrize("directory", ["db", "db/migrate", "db/post_migrate"])
def test_links_are_not_followed(tree: Path, directory: str) -> None:
    """A link could lead into what only this program may read."""
    (tree / directory).rename(tree / "elsewhere")
    (tree / directory).symlink_to(tree / "elsewhere")
    assert list_migrations(tree) is None


def test_a_tree_without_migrations(tmp_path: Path) -> None:
    """Unknown without a tree, without a directory, with an empty one, or with a file in its place."""
    assert list_migrations(tmp_path / "missing") is None
    assert list_migrations(tmp_path) is None
    (tmp_path / "db" / "migrate").mkdir(parents=True)
    assert list_migrations(tmp_path) is None
    write(tmp_path, "db/post_migrate")
    assert list_migrations(tmp_path) is None


def test_a_huge_directory_is_not_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are counted while they are read."""
    monkeypatch.setattr("mastodon_update_check.mastodon.tree.NAMES_READ", 1)
    assert NAMES_READ == 10_000
    assert list_migrations(tree) is None


def systemd(root: Path, ages: Mapping[str, timedelta], state: str = "active") -> Run:
    """Return a systemd whose units run in the tree for so long."""

    def run(argv: Sequence[str], stdin: str = "", limit: timedelta = HOUR, descriptors: Sequence[int] = ()) -> Finished:
        assert (argv[:2], stdin, limit < timedelta(minutes=1), descriptors) == (("systemctl", "show"), "", True, ())
        blocks = [
            f"Id={name}.service\nWorkingDirectory={root}\nActiveState={state}\n"
            f"ActiveEnterTimestampMonotonic={max(int((time.monotonic() - age.total_seconds()) * 1e6), 1)}"
            for name, age in ages.items()
        ]
        return Finished(code=0, out="\n\n".join(blocks))

    return run


def age(tree: Path, names: Sequence[str], seconds: float) -> None:
    """Let files have changed that long ago."""
    instant = time.time() - seconds
    for name in names:
        os.utime(tree / name, (instant, instant))


@pytest.mark.parametrize(
    ("changed", "streaming", "ages", "expected"),
    [
        pytest.param(60, 60, {"mastodon-sidekiq": 5, "mastodon-streaming": 5}, (), id="all restarted"),
        pytest.param(10, 60, {"mastodon-sidekiq": 30}, ("mastodon-sidekiq.service",), id="Sidekiq is older"),
        pytest.param(10, 60, {"mastodon-streaming@4000": 30}, (), id="streaming has not changed"),
        pytest.param(10, 10, {"streaming@4000": 30}, ("streaming@4000.service",), id="streaming has changed"),
        pytest.param(10, 10, {"b": 30, "a": 40, "c": 1}, ("a.service", "b.service"), id="some of several"),
        pytest.param(-999, 60, {"mastodon-sidekiq": 30}, (), id="a file from the future"),
        pytest.param(10, None, {"streaming": 30}, ("streaming.service",), id="streaming's files are not shown"),
        pytest.param(10, 10, {}, None, id="no unit runs in the tree"),
    ],
)
def test_outdated_services(
    tree: Path, changed: float, streaming: float | None, ages: Mapping[str, float], expected: tuple[str, ...] | None
) -> None:
    """Sidekiq is compared with the version file, streaming with its own files if there are any."""
    age(tree, ["lib/mastodon/version.rb"], changed)
    if streaming is None:
        shutil.rmtree(tree / "streaming")
    else:
        age(tree, ["streaming/index.js", "streaming/package.json"], streaming)
    run = systemd(tree, {name: timedelta(seconds=seconds) for name, seconds in ages.items()})
    assert outdated_services(tree, run) == expected


def test_services_restarted_right_after_a_change_are_not_outdated_by_a_slow_host(tree: Path) -> None:
    """When a service was started does not depend on how long systemd takes to answer."""
    age(tree, ["lib/mastodon/version.rb", "streaming/index.js", "streaming/package.json"], 10)
    quick = systemd(tree, {"mastodon-sidekiq": timedelta(seconds=10)})

    def slow(
        argv: Sequence[str], stdin: str = "", limit: timedelta = HOUR, descriptors: Sequence[int] = ()
    ) -> Finished:
        finished = quick(argv, stdin, limit, descriptors)
        time.sleep(TOLERANCE.total_seconds() + 0.2)
        return finished

    assert outdated_services(tree, slow) == ()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda tree: systemd(tree.parent, {"mastodon-sidekiq": HOUR}), id="units of another tree"),
        pytest.param(lambda tree: systemd(tree, {"mastodon-sidekiq": HOUR}, "failed"), id="a unit that does not run"),
        pytest.param(lambda _: lambda *_, **__: Finished(code=1, err="no systemd"), id="no systemd"),
    ],
)
def test_unknown_services(tree: Path, make: Callable[[Path], Run]) -> None:
    """Unknown is not "none"."""
    assert outdated_services(tree, make(tree)) is None
    assert outdated_services(tree.parent, make(tree)) is None


def test_a_check_remembers_since_when() -> None:
    """Observed again and again until it is over; what could not be observed changes nothing."""
    findings = Findings(
        tree=VersionReading(version=version("4.5.20")),
        running=VersionReading(),
        people=People(),
        installed=version("4.5.20"),
        migrations=(SECOND, POST),
        services=("mastodon-sidekiq.service",),
    )
    known = learn(ServerState(), findings, NOW)
    assert known.migrations is not None
    assert known.services is not None
    known = learn(known, replace(findings, migrations=None, services=None), NOW + HOUR)
    assert list_left(known.migrations) == (SECOND, POST)
    assert known.services is not None
    assert known.services.about.started_at == NOW
    over = learn(known, replace(findings, migrations=(), services=()), NOW + 2 * HOUR)
    assert over.migrations is not None
    assert over.migrations.ended_at == NOW + 2 * HOUR
