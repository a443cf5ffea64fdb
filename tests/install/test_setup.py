"""Setting up and undoing, on hosts of several kinds; the database is a real one where it matters."""

import io
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from install.host import LOADED, PROGRAM, ROOT, UNIT, Host, refused, session, set_up
from mastodon.databases import OWN_ROLE, populated
from mastodon_update_check.errors import UsageError
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.install import database as install_database
from mastodon_update_check.install.dialogue import TIMER
from mastodon_update_check.mastodon.sql import install_script
from simulators.postgres import Postgres

DROP_IN = f"etc/systemd/system/{UNIT}.d/50-setup.conf"
WATCH = "etc/systemd/system/mastodon-update-check-settings.path.d/50-setup.conf"
CONFIG = "etc/mastodon-update-check/config.env"
COPY = "run/mastodon-update-check/mastodon.env"
MANIFEST = "etc/mastodon-update-check/setup.json"
ENV = "LOCAL_DOMAIN=social.example\nSMTP_SERVER=localhost\nSECRET_KEY_BASE=of-mastodon\nDB_PASS=of-the-database\n"


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """Return Mastodon's database, for one test alone."""
    yield populated(postgres, "to_be_set_up", "4.7")
    postgres.drop_database("to_be_set_up")


@pytest.fixture
def with_database(host: Host, postgres: Postgres, database: str) -> Host:
    """Return a host with Mastodon and its database."""
    host.add_database(postgres)
    host.install(f"{ENV}DB_HOST={postgres.directory}\nDB_PORT={postgres.port}\nDB_NAME={database}\n")
    return host


def write_config(host: Host, text: str) -> None:
    """Write the administrator's file."""
    (host.prefix / CONFIG).parent.mkdir(exist_ok=True)
    (host.prefix / CONFIG).write_text(text)


def test_whole_setup(with_database: Host, postgres: Postgres, database: str) -> None:
    """Role and function, settings, drop-ins, the copy, the start: all there at the end, and nothing else is."""
    assert set_up(with_database)
    with closing(postgres.connect(database, OWN_ROLE)) as connection:
        assert connection.execute("SELECT count(*) FROM mastodon_update_check.staff()").fetchone() != (0,)
    files = with_database.files()
    once = DROP_IN.replace(UNIT, "mastodon-update-check-once.service")
    assert {CONFIG, COPY, MANIFEST, DROP_IN, once, WATCH} == files.keys()
    login = f"host={postgres.directory} port={postgres.port} dbname={database} user=_mastodon_update_check"
    assert f"UPDATE_CHECK_DATABASE_URL='{login}'" in files[CONFIG]
    assert f"UPDATE_CHECK_MASTODON_ROOT='{ROOT}'" in files[CONFIG]
    assert "BindReadOnlyPaths=-/home/mastodon/live/lib/mastodon\n" in files[DROP_IN]
    assert "SMTP_SERVER=localhost" in files[COPY]
    assert with_database.commands("systemctl enable", UNIT)
    assert with_database.ran[-1] == f"systemctl restart {UNIT}"


def test_secrets_stay_where_they_belong(with_database: Host) -> None:
    """Only what is needed is copied, to a file that only root and the service may read; nothing is printed."""
    set_up(with_database)
    assert not [text for text in with_database.files().values() if "of-mastodon" in text or "of-the-database" in text]
    modes = {name: (with_database.prefix / name).stat().st_mode & 0o777 for name in (CONFIG, COPY, MANIFEST, DROP_IN)}
    assert {CONFIG: 0o640, COPY: 0o640, MANIFEST: 0o600, DROP_IN: 0o644} == modes


def test_again(with_database: Host) -> None:
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
    assert {CONFIG: "UPDATE_CHECK_RECIPIENTS=devops\n"} == with_database.files()
    assert f"systemctl disable --now {UNIT}" == with_database.ran[0]
    with closing(postgres.connect(database)) as connection:
        assert 0 == connection.execute("SELECT FROM pg_namespace WHERE nspname = 'mastodon_update_check'").rowcount
    assert not (with_database.prefix / DROP_IN).parent.exists()


def test_undo_of_nothing(host: Host) -> None:
    """Where nothing was done, nothing is undone."""
    assert session(host).undo()
    assert [] == host.ran


def test_undo_goes_on(with_database: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A step that cannot be undone is reported, the others are undone, and undo can be run again."""
    set_up(with_database)
    with_database.answers["psql"] = Finished(code=2, err="psql: error: no server\n")
    assert not session(with_database).undo()
    assert {CONFIG, MANIFEST} == with_database.files().keys()
    assert "no server" in capsys.readouterr().out
    del with_database.answers["psql"]
    assert session(with_database).undo()
    assert {CONFIG} == with_database.files().keys()


def test_dry_run(with_database: Host, postgres: Postgres, capsys: pytest.CaptureFixture[str]) -> None:
    """All is said, nothing is done."""
    assert set_up(with_database, dry_run=True)
    assert {} == with_database.files()
    out = capsys.readouterr().out
    for words in ("create the PostgreSQL role", "50-setup.conf", "copy the needed lines", UNIT, "Nothing was changed."):
        assert words in out
    with closing(postgres.connect("to_be_set_up")) as connection:
        assert 0 == connection.execute("SELECT FROM pg_namespace WHERE nspname = 'mastodon_update_check'").rowcount


def test_settings_of_the_administrator_win(with_database: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting of theirs is not set again, and a database of theirs is left alone."""
    write_config(with_database, "UPDATE_CHECK_DATABASE_URL=host=db.example")
    set_up(with_database)
    text = with_database.read(CONFIG)
    assert text.startswith("UPDATE_CHECK_DATABASE_URL=host=db.example\n")
    assert 1 == text.count("UPDATE_CHECK_DATABASE_URL")
    assert "no PostgreSQL role is created" in capsys.readouterr().out
    assert not [line for line in with_database.ran if "psql" in line and "ON_ERROR_STOP" not in line]
    assert json.loads(with_database.read(MANIFEST))["server"] is None


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ("DB_HOST=db.example\n", "the database is on another host, db.example"),
        ("DATABASE_URL=postgres://u:secret-word@db.example:25060/m\n", "the database is on another host, db.example"),
        ("DB_NAME=host=evil.example\n", "DB_NAME has characters"),
        ("DB_NAME=postgresql://evil.example/x\n", "DB_NAME has characters"),
        ("DB_NAME='a\nb'\n", "the DB_ variables holds control characters"),
        ("DB_NAME=-c\n", "DB_NAME has characters"),
        ("DB_NAME=\"a' requirepeer='mastodon\"\n", "DB_NAME has characters"),
        ("DB_HOST='/tmp/a b'\n", "DB_HOST has characters"),
        ("DB_PORT=5432x\n", "the DB_ variables: expected a port number from 1 to 65535"),
        ("DATABASE_URL=postgres://[\n", "DATABASE_URL is not a URL as Rails reads it"),
        ("DB_HOST=/x,evil.example\n", "the DB_ variables: expected one host, got a list"),
        ("DB_HOST=@/x\n", "the DB_ variables: expected a host name, an address or the directory of a socket"),
        ("", "user postgres cannot connect to mastodon_production on port 5432: psql: error"),
    ],
)
def test_no_role(host: Host, env: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the role cannot be made this is said, with the way out; the rest is set up with Mastodon's login."""
    host.install(ENV + env)
    host.add_socket()
    assert set_up(host)
    out = capsys.readouterr().out
    assert words in out
    assert "--print-sql" in out
    assert "secret-word" not in out
    assert "UPDATE_CHECK_DATABASE_URL" not in host.read(CONFIG)
    assert "DB_PASS=of-the-database" in host.read(COPY)
    assert not [line for line in host.ran if "psql" in line and "evil" in line]


def test_no_superuser(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A database in a container has no user postgres on the host."""
    host.has_superuser = False
    host.install(ENV)
    assert set_up(host)
    assert (
        "there is no user postgres on this host, for example because the database runs in a container"
        in capsys.readouterr().out
    )


def test_wrong_database(host: Host, postgres: Postgres) -> None:
    """A database that is not Mastodon's is left alone."""
    postgres.create_database("of_something_else", "CREATE TABLE x ()")
    host.add_database(postgres)
    host.install(f"{ENV}DB_HOST={postgres.directory}\nDB_PORT={postgres.port}\nDB_NAME=of_something_else\n")
    assert set_up(host)
    assert "UPDATE_CHECK_DATABASE_URL" not in host.read(CONFIG)
    postgres.drop_database("of_something_else")


def test_owner_of_the_database_as_intruder(with_database: Host, postgres: Postgres, database: str) -> None:
    """The superuser runs no function or operator of the database's owner."""
    postgres.execute(
        database,
        """
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS
          $$ BEGIN ALTER ROLE mastodon SUPERUSER; RETURN pg_catalog.to_regclass($1); END $$;
        CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE plpgsql AS
          $$ BEGIN ALTER ROLE mastodon SUPERUSER; RETURN 'x'; END $$;
        """,
        "mastodon",
    )
    postgres.execute(database, f"ALTER DATABASE {database} SET search_path = evil, pg_catalog, public", "mastodon")
    postgres.execute(database, f"ALTER DATABASE {database} SET default_transaction_read_only = on", "mastodon")
    assert set_up(with_database)
    with closing(postgres.connect("postgres")) as connection:
        assert (False,) == connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'mastodon'").fetchone()
    assert "UPDATE_CHECK_DATABASE_URL" in with_database.read(CONFIG)


def test_mark(host: Host) -> None:
    """Pending notices are marked before the service starts, by the service's own command and settings."""
    host.install(ENV)
    assert set_up(host, tell="mark")
    config = host.prefix / CONFIG
    own = [line.rpartition(f"{PROGRAM} ")[2] for line in host.commands("env", f"UPDATE_CHECK_CONFIG={config}")]
    assert ["recipients --json", "check --dry-run --json", "check --mark", "send-test"] == own
    assert host.ran.index(host.commands("env")[-1]) < host.ran.index(f"systemctl enable {UNIT}")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("recipients --json", 78, "nothing is started: correct this"),
        ("recipients --json", 1, "the recipients are not known, so nothing can be marked"),
        ("check --mark", 1, "could not be marked as sent, so nothing is started"),
        ("check --mark", 74, "nothing is started: correct this"),
    ],
)
def test_not_started(host: Host, command: str, code: int, words: str) -> None:
    """When recipients or pending notices are not known, nothing is started; setup can be run again."""
    host.install(ENV)
    host.answers[f"{PROGRAM} {command}"] = Finished(code=code, err="mastodon-update-check: something\n")
    assert words in refused(host, tell="mark")
    assert not host.commands("systemctl restart")
    del host.answers[f"{PROGRAM} {command}"]
    assert "--yes needs --tell" in refused(host, tell="")
    assert set_up(host, tell="mark")


def test_postgresql_that_is_stopped(with_database: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that does not run takes no login away: it is named, and the one of the last setup stays."""
    set_up(with_database)
    before = with_database.read(CONFIG)
    for socket in with_database.prefix.rglob(".s.PGSQL.*"):
        socket.unlink()
    assert set_up(with_database)
    assert with_database.read(CONFIG) == before
    assert "could not be brought up to date: PostgreSQL is not running on this host" in capsys.readouterr().out


def test_login_of_another_database(with_database: Host) -> None:
    """When Mastodon's settings name another host, the login of the last setup is no longer written."""
    set_up(with_database)
    (with_database.real(ROOT) / ".env.production").write_text(f"{ENV}DB_HOST=db.example\n")
    assert set_up(with_database)
    assert "UPDATE_CHECK_DATABASE_URL" not in with_database.read(CONFIG)


def test_no_name_no_message(host: Host) -> None:
    """Without LOCAL_DOMAIN everybody would be notified as localhost: it stops before anything is done or sent."""
    host.install(ENV.replace("LOCAL_DOMAIN=social.example\n", ""))
    answer = refused(host)
    assert f"LOCAL_DOMAIN is not set: expected it in {ROOT}/.env.production" in answer
    assert ({}, []) == (host.files(), host.commands("env"))


@pytest.mark.parametrize("line", ["UPDATE_CHECK_INTERVAL=1s", "UPDATE_CHECK_RECIPIENT=devops"])
def test_dry_run_names_settings_that_stop_the_real_run(
    host: Host, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong settings of the administrator are named before anything is changed, by the real run too."""
    host.install(ENV)
    write_config(host, f"{line}\n")
    assert not set_up(host, dry_run=True)
    out = capsys.readouterr().out
    assert f"Setup would stop here: {line.partition('=')[0]}" in out
    assert "/tmp/" not in out.replace(str(host.prefix), "")  # noqa: S108 - where the draft was read
    assert line.partition("=")[0] in refused(host)
    assert {CONFIG: f"{line}\n"} == host.files()


def test_dry_run_names_parts_that_mastodons_settings_disable(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A value of Mastodon's that cannot be used disables a part: setup says which, and does not stop."""
    host.install(f"{ENV}SMTP_DELIVERY_METHOD=sendmail\n")
    assert set_up(host, dry_run=True)
    out = capsys.readouterr().out
    assert "SMTP_DELIVERY_METHOD" in out
    assert f"{host.prefix / COPY}, line 5" in out


@pytest.mark.parametrize(("answer", "expected"), [("y", "github"), ("", "github"), ("n", "off")])
def test_release_details_are_asked_for_once(
    host: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, expected: str
) -> None:
    """The question names the host that will be contacted; the answer is written, and not asked for again."""
    host.install(ENV)
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n" + "y\n" * 3))
    assert session(host, is_silent=False).set_up()
    assert "raw.githubusercontent.com" in capsys.readouterr().out
    assert (f"UPDATE_CHECK_RELEASE_DETAILS='{expected}'" in host.read(CONFIG)) is (expected == "github")
    assert json.loads(host.read(MANIFEST))["release_details"] == expected
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    before = host.read(CONFIG)
    assert session(host, is_silent=False).set_up()
    out = capsys.readouterr().out
    assert "raw.githubusercontent.com" not in out
    assert "Continue? [Y/n]" in out
    assert host.read(CONFIG) == before


def test_release_details_are_never_allowed_silently(host: Host) -> None:
    """`--yes` alone allows no host to be contacted; `--release-details github` does."""
    host.install(ENV)
    assert set_up(host)
    assert "RELEASE_DETAILS" not in host.read(CONFIG)
    assert set_up(host, release_details="github")
    assert "UPDATE_CHECK_RELEASE_DETAILS='github'" in host.read(CONFIG)


class Terminal(io.StringIO):
    """Standard input with answers typed ahead."""

    def isatty(self) -> bool:
        """Say so."""
        return True


MAIL = {"sink": "email", "name": None, "address": "ops@social.example"}
USER = {"sink": "email", "name": "alice", "address": "alice@social.example"}
WEBHOOK = {"sink": "webhook", "name": None, "address": None}
LOG = {"sink": "log", "name": None, "address": None}


@pytest.mark.parametrize(
    ("recipients", "expected"),
    [
        ([USER, MAIL, WEBHOOK, LOG], "Will be notified: alice, ops@social.example by email; webhook"),
        ([WEBHOOK, WEBHOOK], "Will be notified: webhook"),
        ([USER] * 10, f"Will be notified: {', '.join(['alice'] * 8)} and 2 more by email"),
        ([LOG], "Nobody will be notified, because there is neither a mail recipient nor a webhook"),
        ([], "Nobody will be notified"),
    ],
)
def test_last_words_name_the_recipients(
    host: Host, capsys: pytest.CaptureFixture[str], recipients: list[dict[str, object]], expected: str
) -> None:
    """The last lines of setup name the recipients, or say that there are none."""
    host.install(ENV)
    host.recipients = json.dumps({"recipients": recipients, "error": None})
    assert set_up(host)
    out = capsys.readouterr().out
    assert f"{UNIT} is running. {expected}" in out
    assert len(out.partition("setup will:")[2].partition("Note:")[0].splitlines()) <= 9


@pytest.mark.parametrize(
    ("pending", "questions", "said"),
    [
        ('{"updates": [{"version": "4.5.20", "urgent": true}], "planned": 1}', 1, "Pending: 4.5.20 (urgent).\n"),
        ('{"updates": [], "planned": 0}', 0, "Pending: nothing.\n"),
        ("no JSON", 1, "Pending: not known.\n"),
    ],
)
def test_pending_notices_are_asked_about_when_there_are_some(
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pending: str,
    questions: int,
    said: str,
) -> None:
    """The pending releases are shown; with none of them there is nothing to decide."""
    host.install(ENV)
    host.pending = pending
    monkeypatch.setattr("sys.stdin", Terminal("n\n" + "y\n" * (2 + questions)))
    assert session(host, is_silent=False).set_up()
    out = capsys.readouterr().out
    assert said in out
    assert out.count("[Y/n]") == 3 + questions


def test_recipients_that_are_not_known(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer that cannot be parsed does not count as no recipients."""
    host.install(ENV)
    host.recipients = "x"
    assert not set_up(host)
    assert "It is not known who will be notified" in capsys.readouterr().out


def test_environment_file_that_is_mastodons_own(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A unit that names `.env.production` itself does not make the plan list it twice."""
    host.install(ENV)
    host.add_web_unit("mastodon-web.service")
    host.units["mastodon-web.service"] += f"EnvironmentFiles={ROOT}/.env.production (ignore_errors=no)\n"
    assert set_up(host)
    out = capsys.readouterr().out
    assert f"copy the needed lines of {ROOT}/.env.production to " in out
    assert [line for line in host.read(WATCH).splitlines() if "=/" in line] == [f"PathChanged={ROOT}"]


def test_environment_file_elsewhere_is_named(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that the unit names is not read; a note names it, because its settings precede those that are copied."""
    host.install(ENV)
    host.add_web_unit("mastodon-web.service")
    host.units["mastodon-web.service"] += "EnvironmentFiles=/etc/mastodon/env (ignore_errors=yes)\n"
    assert set_up(host)
    note = "Note: /etc/mastodon/env, which mastodon-web.service names by EnvironmentFile=, is not copied. Its settings"
    assert note in " ".join(capsys.readouterr().out.split())


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


@pytest.mark.parametrize(
    ("wanted", "code", "worked", "sent"), [(True, 0, True, 1), (True, 1, False, 1), (False, 1, True, 0)]
)
def test_test_message(host: Host, *, wanted: bool, code: int, worked: bool, sent: int) -> None:
    """A test message is sent unless it is not wanted; when it fails, setup exits with 1 and starts the service."""
    host.install(ENV)
    host.answers[f"{PROGRAM} send-test"] = Finished(code=code)
    assert worked == set_up(host, sends_test=wanted)
    assert sent == len([line for line in host.ran if line.endswith("send-test")])
    assert host.commands("systemctl restart")


def test_start_that_fails(host: Host) -> None:
    """The message of systemd is shown."""
    host.install(ENV)
    host.answers["systemctl restart"] = Finished(code=1, err="Job for it failed.\n")
    assert f"{UNIT} does not start: Job for it failed." in refused(host)


def test_no_start(host: Host) -> None:
    """With --no-start nothing is started or notified; the next run goes on from there."""
    host.install(ENV)
    assert set_up(host, starts=False, tell="")
    assert not host.commands("env")
    assert not host.commands("systemctl restart")
    assert "--yes needs --tell" in refused(host, tell="")


def test_timer(host: Host) -> None:
    """With --timer the timer is started instead of the service, and stays when setup runs again."""
    host.install(ENV)
    assert set_up(host, timer=True)
    assert set_up(host)
    assert {f"systemctl restart {TIMER}"} == set(host.commands("systemctl restart"))
    assert not host.commands("systemctl disable")
    session(host).undo()
    assert host.commands("systemctl disable --now", TIMER)


def test_timer_instead(host: Host) -> None:
    """With --timer a running service is disabled, so that it does not come back at the next boot."""
    host.install(ENV)
    assert set_up(host)
    host.ran = []
    assert set_up(host, timer=True)
    assert [f"systemctl disable --now {UNIT}", f"systemctl enable {TIMER}", f"systemctl restart {TIMER}"] == [
        line
        for line in host.ran
        if line.startswith("systemctl") and line.split()[1] in {"disable", "enable", "restart"}
    ]


def test_unreadable_version(host: Host) -> None:
    """Where the unit can be shown nothing, it is not given an empty file."""
    (host.install(ENV) / "lib/mastodon/version.rb").chmod(0o600)
    assert set_up(host)
    assert {CONFIG, COPY, MANIFEST, WATCH} == host.files().keys()
    assert session(host).undo()
    assert {CONFIG} == host.files().keys()


def test_no_terminal_to_ask(host: Host) -> None:
    """Without a terminal and without --yes, setup stops before it changes anything."""
    host.install(ENV)
    with pytest.raises(Exception, match="standard input is not a terminal"):
        session(host, is_silent=False).set_up()
    assert {} == host.files()


def test_not_installed(host: Host) -> None:
    """Without the unit there is nothing to set up."""
    host.install(ENV)
    host.units.clear()
    assert "systemd has no unit mastodon-update-check.service" in refused(host)


def test_environment_of_the_unit(host: Host) -> None:
    """Variables of Mastodon's unit precede those of its file, as for Mastodon; only needed ones are taken."""
    host.install(ENV)
    host.add_web_unit(
        "mastodon-web.service", environment='RAILS_ENV=production WEB_DOMAIN=m.social.example "SMTP_LOGIN=a b"'
    )
    set_up(host)
    assert "WEB_DOMAIN='m.social.example'\nSMTP_LOGIN='a b'\n" in host.read(CONFIG)
    assert "RAILS_ENV" not in host.read(CONFIG)


def test_missing_file(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """Without Mastodon's files the rest is set up when our own file names the server; the missing one is named."""
    tree = host.install("")
    (tree / ".env.production").unlink()
    assert "LOCAL_DOMAIN is not set" in refused(host)
    write_config(host, "LOCAL_DOMAIN=social.example\n")
    assert set_up(host)
    assert (
        f"{ROOT}/.env.production cannot be copied: no such file or directory. Settings that" in capsys.readouterr().out
    )
    assert host.read(COPY).startswith("#")


def test_several(host: Host) -> None:
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
    assert MANIFEST in host.files()


def test_undo_beside_another(with_database: Host, postgres: Postgres, database: str) -> None:
    """The role stays for as long as another server of this host uses it in the same database."""
    second = Path("/srv/second")
    with_database.install((with_database.real(ROOT) / ".env.production").read_text(), second)
    with_database.units["mastodon-update-check@second.service"] = LOADED
    set_up(with_database, root=ROOT)
    set_up(with_database, root=second, name="second")
    roles = "SELECT FROM pg_namespace WHERE nspname = 'mastodon_update_check'"
    with closing(postgres.connect(database)) as connection:
        for name, left in (("second", 1), ("", 0)):
            assert session(with_database, name=name).undo()
            assert left == connection.execute(roles).rowcount


def test_ready_line(postgres: Postgres, database: str, tmp_path: Path) -> None:
    """A shell that runs the line for this host, as it is printed above the script, makes the role."""
    line = next(line for line in install_script().splitlines() if "runuser" in line).partition(":")[2].strip()
    line = line.replace("mastodon_production", f"{database} -h {postgres.directory} -p {postgres.port}")
    (tmp_path / "script").write_text(install_script())
    (tmp_path / "runuser").write_text('#!/bin/sh\nshift 3; exec "$@"\n')
    (tmp_path / "runuser").chmod(0o755)
    path = f"{tmp_path}:{postgres.program('psql').parent}:/usr/bin:/bin"
    command = f"cat {tmp_path}/script | {line}"
    subprocess.run(["sh", "-euc", command], check=True, env={"PATH": path, "PGUSER": "postgres"})
    with closing(postgres.connect(database, OWN_ROLE)) as connection:
        assert connection.execute("SELECT count(*) FROM mastodon_update_check.staff()").fetchone() != (0,)


@pytest.mark.parametrize("name", ["config", "mastodon", "../x", "a/b", "A", "-a", "a\nb", "%i", "x" * 33])
def test_bad_name(host: Host, name: str) -> None:
    """A name that would be another file, or mean something in a unit, is refused."""
    with pytest.raises(UsageError, match="this name cannot be used"):
        set_up(host, name=name)


def test_damaged_manifest(host: Host) -> None:
    """Setup stops when the record of an earlier run cannot be read."""
    host.install(ENV)
    set_up(host)
    (host.prefix / MANIFEST).write_text('{"form": 2}')
    assert "the record of setup, cannot be read" in refused(host)
