"""The sources of settings: their order, and the administrator's own ones."""

import os
from pathlib import Path

import pytest

from config.machine import Machine
from mastodon_update_check.config import load_settings
from mastodon_update_check.config.variables import FILE_BYTES, VALUE_BYTES

URL = "UPDATE_CHECK_URL"
COMMAND = "expected plain text, got $(…), which is never executed: write its result instead."


def test_environment_before_our_file_before_mastodons(machine: Machine) -> None:
    """Each variable comes from the first source that has it, and its origin says which."""
    machine.mastodon("DB_NAME=mastodon's\nDB_USER=mastodon's\nDB_HOST=mastodon's")
    machine.own("DB_NAME=own\n\nDB_USER=own")
    settings = machine.load({"DB_NAME": "environment"})
    assert (settings.db_name, settings.db_user, settings.db_host) == ("environment", "own", "mastodon's")
    assert settings.origins["DB_NAME"] == "the environment"
    assert settings.origins["DB_USER"] == f"{machine.own_path}, line 3"
    assert settings.origins["DB_HOST"] == f"{machine.mastodon_path}, line 3"
    assert settings.foreign == {"DB_HOST"}


def test_credentials_stand_between_environment_and_files(machine: Machine) -> None:
    """A credential wins over our file and loses against the environment."""
    machine.own("DB_PASS=own\nSMTP_PASSWORD=own").credential("db_pass", "credential\n")
    settings = machine.credential("smtp_password", "credential").load({"SMTP_PASSWORD": "environment"})
    assert settings.db_pass is not None
    assert settings.db_pass == "credential"
    origins = settings.origins["DB_PASS"], settings.origins["SMTP_PASSWORD"]
    assert origins == ("credential db_pass", "the environment")


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_overrides_later_sources(machine: Machine, blank: str) -> None:
    """A blank value counts as not set, but the sources below are not read: so it is with dotenv."""
    settings = machine.own("SMTP_DOMAIN=own.example").load({"SMTP_DOMAIN": blank})
    assert settings.smtp_domain == "localhost"
    assert "SMTP_DOMAIN" not in settings.origins


def test_blank_database_settings_are_the_defaults_of_libpq(machine: Machine) -> None:
    """For Mastodon a blank host is the socket, and a blank name or user is libpq's default."""
    settings = machine.mastodon("DB_HOST=\nDB_NAME=\nDB_USER=''\nDB_PORT=\nDB_SSLMODE=").load()
    database = settings.db_host, settings.db_name, settings.db_user, settings.db_port, settings.db_sslmode
    assert database == ("", "", "", 5432, "prefer")


def test_commands_count_only_in_values_that_are_used(machine: Machine) -> None:
    """A command in a variable that is not ours, or that a higher source hides, is not an error."""
    machine.own("SECRET_KEY_BASE=$(openssl rand)\nDB_NAME=$(id)")
    assert machine.load({"DB_NAME": "mastodon"}).db_name == "mastodon"
    assert machine.problems() == [f"DB_NAME in config.env, line 2: {COMMAND}"]


def test_default_files_may_be_missing(tmp_path: Path) -> None:
    """Neither our own default file nor Mastodon's needs to exist."""
    settings = Machine(tmp_path).load({"UPDATE_CHECK_CONFIG": ""})
    assert (settings.config_file, settings.mastodon_files, settings.disabled) == (None, (), ())


@pytest.mark.parametrize("link", [False, True])
def test_null_device_is_an_empty_file(machine: Machine, *, link: bool) -> None:
    """`/dev/null` stands for no file, also by another name: nothing is read, and the defaults are those of no file."""
    path = machine.home / "masked"
    path.symlink_to("/dev/null")
    null = str(path) if link else "/dev/null"
    machine.own("LOCAL_DOMAIN=own.example").mastodon("WEB_DOMAIN=mastodon.example")
    settings = machine.load({"UPDATE_CHECK_CONFIG": null, "UPDATE_CHECK_MASTODON_ENV_FILE": null})
    assert (settings.instance, settings.web_domain, settings.config_file) == ("localhost", "localhost", None)
    assert settings.ledger == f"{machine.home}/.local/state/mastodon-update-check/ledger.sqlite3"
    assert (settings.disabled, settings.warnings) == ((), ())


@pytest.mark.parametrize("variable", ["UPDATE_CHECK_CONFIG", "UPDATE_CHECK_MASTODON_ENV_FILE"])
def test_named_files_must_be_readable(machine: Machine, variable: str) -> None:
    """A named file must be a regular one of bounded size; a pipe or a device is not waited for."""
    os.mkfifo(machine.home / "pipe")
    machine.file("large", "#" * (FILE_BYTES + 1))
    start = f"{variable} in the environment: "
    for name, reason in {
        "missing": "no such file or directory",
        "pipe": "not a regular file",
        "large": f"it is larger than {FILE_BYTES} bytes",
        "": "",
    }.items():
        [problem] = machine.problems({variable: str(machine.home / name)})
        assert problem.startswith(f"{start}{name or machine.home} cannot be read: ")
        assert reason in problem.lower()
    [problem] = machine.problems({variable: "/dev/zero"})
    assert problem.startswith(f"{start}/dev/zero cannot be read: ")


def test_our_file_cannot_say_where_it_is(machine: Machine) -> None:
    """`UPDATE_CHECK_CONFIG` in our own file would have no effect."""
    assert machine.own("UPDATE_CHECK_CONFIG=/elsewhere").problems() == [
        "UPDATE_CHECK_CONFIG in config.env, line 1: can only be set in the environment."
    ]


def test_byte_order_mark(machine: Machine) -> None:
    """A byte order mark does not belong to a name, as in Ruby."""
    assert machine.own("\ufeffDB_NAME=x").load().db_name == "x"


def test_other_encodings(machine: Machine) -> None:
    """A comment may be in any encoding; a value that is used must be UTF-8."""
    machine.own_path.write_bytes(b"# gr\xfc\xdfe\nDB_NAME=x\n")
    assert machine.load().db_name == "x"
    machine.own_path.write_bytes(b"DB_NAME=gr\xfc\xdfe\n")
    assert machine.problems() == ["DB_NAME in config.env, line 1: expected text in UTF-8, got another encoding."]


def test_values_that_are_too_long(machine: Machine) -> None:
    """No value is longer than the limit, in any source."""
    limit = f"expected at most {VALUE_BYTES} bytes"
    machine.own("A=" + "x" * VALUE_BYTES + "\nDB_USER=$A$A")
    assert machine.problems({"DB_NAME": "x" * (VALUE_BYTES + 1)}) == [
        f"DB_NAME in the environment: {limit}, got more.",
        f"DB_USER in config.env, line 2: {limit} after its variables are replaced, got more.",
    ]


CUT = "the # begins a comment: put the value in single quotes to keep its end"


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        (
            "UPDATE_CHECK_APPRISE_URL=slack://a/b/#admins ntfys://c/d",
            f"UPDATE_CHECK_APPRISE_URL in config.env, line 1: {CUT}",
        ),
        ("UPDATE_CHECK_APPRISE_URL='slack://a/b/#admins ntfys://c/d'", ""),
        ("UPDATE_CHECK_APPRISE_URL=slack://a/b/ #admins", ""),
        ("LOCAL_DOMAIN=social.example#ours", ""),
        ("OTHER=https://a.example/#x", ""),
        ("SMTP_SERVRE=mail.example", "SMTP_SERVRE in config.env, line 1: unknown variable: did you mean SMTP_SERVER?"),
        ("SMTP_PASSWD=x", "SMTP_PASSWD in config.env, line 1: unknown variable: did you mean SMTP_PASSWORD?"),
        ("HTTPS_PROXY=x", ""),
        ("DB_POOL=5", ""),
        ("REDIS_HOST=x\nBULK_SMTP_OPENSSL_VERIFY_MODE=none\nREPLICA_DATABASE_URL=x", ""),
    ],
)
def test_warnings_about_our_file(machine: Machine, line: str, warning: str) -> None:
    """A URL that a `#` has cut, and a name that nearly is a known one, are warnings."""
    warnings = [text.replace(f"{machine.home}/", "") for text in machine.own(line).load().warnings]
    assert warnings == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("own", "mastodons", "expected"),
    [
        ("", "http_proxy=http://theirs", ("http://theirs", None)),
        ("", "https_proxy=http://secure\nhttp_proxy=http://theirs", ("http://secure", None)),
        ("https_proxy=http://ours", "http_proxy=http://theirs", ("http://ours", None)),
        ("http_proxy=http://ours", "https_proxy=http://theirs", ("http://theirs", "http://ours")),
        ("http_proxy=http://ours", "http_proxy=http://theirs", (None, "http://ours")),
        ("http_proxy=", "http_proxy=http://theirs", (None, None)),
    ],
)
def test_proxy_of_mastodon_sees_no_plain_request(
    machine: Machine, own: str, mastodons: str, expected: tuple[str | None, str | None]
) -> None:
    """It serves https, of which a proxy sees only the host; ours serves both."""
    settings = machine.own(own).mastodon(mastodons).load({"UPDATE_CHECK_WEBHOOK_URL": "http://hooks.internal/"})
    assert (settings.https_proxy, settings.http_proxy) == expected
    options = next(sink.options for sink in settings.sinks if sink.name == "webhook")
    assert (options.get("https_proxy"), options.get("http_proxy")) == expected


@pytest.mark.parametrize(
    ("environ", "ledger"),
    [
        ({"UPDATE_CHECK_LEDGER": "/x/y.sqlite3", "STATE_DIRECTORY": "/s"}, "/x/y.sqlite3"),
        ({"STATE_DIRECTORY": "/s/one:/s/two", "HOME": "/h"}, "/s/one/ledger.sqlite3"),
        ({"XDG_STATE_HOME": "/state", "HOME": "/h"}, "/state/mastodon-update-check/ledger.sqlite3"),
        ({"HOME": "/h"}, "/h/.local/state/mastodon-update-check/ledger.sqlite3"),
        ({"XDG_STATE_HOME": "rel", "HOME": "/h"}, "/h/.local/state/mastodon-update-check/ledger.sqlite3"),
    ],
)
def test_ledger_without_a_file_of_ours(environ: dict[str, str], ledger: str) -> None:
    """The ledger is at the configured path, else where state belongs."""
    assert (
        load_settings({**environ, "UPDATE_CHECK_MASTODON_ROOT": "/nowhere"}, Path("/nowhere/config.env")).ledger
        == ledger
    )


def test_ledger_with_a_file_of_ours(machine: Machine) -> None:
    """A command in a shell uses the ledger of the installed unit."""
    expected = "/var/lib/mastodon-update-check/ledger.sqlite3"
    assert machine.load({"XDG_STATE_HOME": "/state"}).ledger == expected


def test_ledger_without_a_place(machine: Machine) -> None:
    """Where nothing says where state belongs, nothing is guessed."""
    assert machine.problems({"UPDATE_CHECK_CONFIG": "", "HOME": ""}) == [
        "UPDATE_CHECK_LEDGER in default: no place for the ledger: set it, or HOME, or STATE_DIRECTORY."
    ]
