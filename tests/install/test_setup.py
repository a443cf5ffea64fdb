"""Setting up and undoing, on hosts of several kinds; the database is a real one where it matters."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from install.host import (
    CONFIG,
    COPY,
    DROP_IN,
    ENV,
    LOADED,
    PROGRAM,
    ROOT,
    UNIT,
    WATCH,
    Host,
    refused,
    session,
    set_up,
    write_config,
)
from mastodon.databases import OWN_ROLE
from mastodon_update_check.errors import UsageError
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.install import database as install_database
from simulators.postgres import Postgres


def test_whole_setup(with_database: Host, postgres: Postgres, database: str) -> None:
    """Role and function, settings, drop-ins, the copy, the start: all there at the end, and nothing else is."""
    assert set_up(with_database)
    with closing(postgres.connect(database, OWN_ROLE)) as connection:
        assert connection.execute("SELECT count(*) FROM mastodon_update_check.staff()").fetchone() != (0,)
    files = with_database.files()
    once = DROP_IN.replace(UNIT, "mastodon-update-check-once.service")
    assert files.keys() == {CONFIG, COPY, DROP_IN, once, WATCH}
    login = f"host={postgres.directory} port={postgres.port} dbname={database} user=_mastodon_update_check"
    assert f"UPDATE_CHECK_DATABASE_URL='{login}'" in files[CONFIG]
    assert f"UPDATE_CHECK_MASTODON_ROOT='{ROOT}'" in files[CONFIG]
    tree = with_database.machine.place().tree
    assert f"BindReadOnlyPaths=-{tree}:/home/mastodon/live\n" in files[DROP_IN]
    mounted = [line.split()[-1] for line in with_database.commands("mount --no-canonicalize --bind /proc/self/fd/")]
    assert mounted == [f"{tree}/{directory}" for directory in ("lib/mastodon", "config")]
    assert "SMTP_SERVER=localhost" in files[COPY]
    assert with_database.commands("systemctl enable", UNIT)
    assert with_database.ran[-1] == f"systemctl restart {UNIT}"


def test_secrets_stay_where_they_belong(with_database: Host) -> None:
    """Only what is needed is copied, to a file that only root and the service may read; nothing is printed."""
    set_up(with_database)
    assert not [text for text in with_database.files().values() if "of-mastodon" in text or "of-the-database" in text]
    modes = {name: (with_database.prefix / name).stat().st_mode & 0o777 for name in (CONFIG, COPY, DROP_IN)}
    assert modes == {CONFIG: 0o640, COPY: 0o640, DROP_IN: 0o644}


def test_second_run_changes_nothing(with_database: Host) -> None:
    """A second run writes no file again, asks no question again, and ends in the same state."""
    set_up(with_database)
    files, with_database.ran = with_database.files(), []
    assert set_up(with_database, tell="")
    assert files == with_database.files()
    assert not with_database.commands("systemctl daemon-reload")
    assert not [line for line in with_database.ran if line.endswith("check --dry-run --json")]


def test_undo(with_database: Host, postgres: Postgres, database: str) -> None:
    """Undo removes files, role and settings of setup; the administrator's lines stay."""
    write_config(with_database, "UPDATE_CHECK_RECIPIENTS=devops\n")
    set_up(with_database)
    with_database.ran = []
    assert session(with_database).undo()
    assert with_database.files() == {CONFIG: "UPDATE_CHECK_RECIPIENTS=devops\n"}
    assert with_database.ran[0].startswith(f"systemctl disable --now {UNIT}")
    with closing(postgres.connect(database)) as connection:
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'mastodon_update_check'").rowcount == 0
    assert not (with_database.prefix / DROP_IN).parent.exists()


def test_undo_of_nothing(host: Host) -> None:
    """Where nothing was done, nothing is undone."""
    assert session(host).undo()
    assert host.ran == []


def test_undo_continues_after_a_failed_step(with_database: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A step that cannot be undone is reported, the others are undone, and undo can be run again."""
    set_up(with_database)
    with_database.answers["psql"] = Finished(code=2, err="psql: error: no server\n")
    assert not session(with_database).undo()
    assert with_database.files().keys() == {CONFIG}
    assert "UPDATE_CHECK_DATABASE_URL" in with_database.read(CONFIG)
    assert "no server" in capsys.readouterr().out
    del with_database.answers["psql"]
    assert session(with_database).undo()
    assert with_database.files().keys() == {CONFIG}


def test_dry_run(with_database: Host, postgres: Postgres, capsys: pytest.CaptureFixture[str]) -> None:
    """All is said, nothing is done."""
    assert set_up(with_database, dry_run=True)
    assert with_database.files() == {}
    out = capsys.readouterr().out
    for words in ("create the PostgreSQL role", "50-setup.conf", "copy the needed lines", UNIT, "Nothing was changed."):
        assert words in out
    with closing(postgres.connect("to_be_set_up")) as connection:
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'mastodon_update_check'").rowcount == 0


def test_setup_stops_without_a_domain(host: Host) -> None:
    """Without LOCAL_DOMAIN everybody would be notified as localhost: it stops before anything is done or sent."""
    host.install(ENV.replace("LOCAL_DOMAIN=social.example\n", ""))
    answer = refused(host)
    assert f"LOCAL_DOMAIN is not set: expected it in {ROOT}/.env.production" in answer
    assert (host.files(), host.commands("env")) == ({}, [])


def test_program_that_the_unit_does_not_run(host: Host) -> None:
    """A checkout beside the package would ask as root what the service must find: it is sent away."""
    host.install(ENV)
    host.units[UNIT] += "ExecStart={ path=/opt/other/mastodon-update-check ; argv[]=x }\n"
    assert f"starts another program than {PROGRAM}" in refused(host)


def test_search_for_the_server_is_bounded_as_a_whole(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets that do not answer cost the limit once, not each."""
    host.install(ENV)
    for port in range(5432, 5442):
        host.add_socket(port=port)
    monkeypatch.setattr(install_database, "SEARCH_LIMIT", timedelta(seconds=-1))
    assert set_up(host)
    assert len([line for line in host.ran if "psql" in line]) == 1


def test_unreadable_version(host: Host) -> None:
    """Where the unit can be shown nothing, it is not given an empty file."""
    (host.install(ENV) / "lib/mastodon/version.rb").chmod(0o600)
    assert set_up(host)
    assert host.files().keys() == {CONFIG, COPY, WATCH}
    assert session(host).undo()
    assert host.files().keys() == {CONFIG}


def test_not_installed(host: Host) -> None:
    """Without the unit there is nothing to set up."""
    host.install(ENV)
    host.units.clear()
    assert "systemd has no unit mastodon-update-check.service" in refused(host)


def test_each_of_several_servers_gets_a_service(host: Host) -> None:
    """Of several installations one must be named; each further one gets a service of its own."""
    second = Path("/var/www/mastodon__2/live")
    host.install(ENV)
    host.install(ENV, second)
    answer = refused(host)
    assert answer.endswith(f"setup --root {ROOT}\n  mastodon-update-check setup --root {second} --name second")
    host.units["mastodon-update-check@second.service"] = LOADED
    assert f"setup --root {ROOT} --name second\n" in refused(host, name="second")
    assert set_up(host, root=ROOT)
    assert set_up(host, name="second")
    assert f"UPDATE_CHECK_MASTODON_ROOT='{second}'" in host.read("etc/mastodon-update-check/second.env")
    assert "SMTP_SERVER=localhost" in host.read("run/mastodon-update-check/second.env")
    assert f"{second}/config" in host.read("etc/systemd/system/mastodon-update-check@second.service.d/50-setup.conf")
    assert host.ran[-1] == "systemctl restart mastodon-update-check@second.service"
    assert session(host, name="second").undo()
    assert "written by mastodon-update-check setup" in host.read(CONFIG)


@pytest.mark.parametrize("name", ["config", "mastodon", "../x", "a/b", "A", "-a", "a\nb", "%i", "x" * 33])
def test_unusable_name_is_refused(host: Host, name: str) -> None:
    """A name that would be another file, or mean something in a unit, is refused."""
    with pytest.raises(UsageError, match="expected a name of small letters"):
        set_up(host, name=name)
