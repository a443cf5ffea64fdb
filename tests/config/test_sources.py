"""The sources of settings: their order, what is taken from each, and what happens when one cannot be read."""

import os
from pathlib import Path

import pytest

from config.machine import Machine
from mastodon_update_check.config.reading import FILE_BYTES, VALUE_BYTES
from mastodon_update_check.config.variables import UPDATE_SERVER

URL = "UPDATE_CHECK_URL"


def test_environment_before_our_file_before_mastodons(machine: Machine) -> None:
    """Each variable comes from the first source that has it, and its origin says which."""
    machine.mastodon("DB_NAME=mastodon's\nDB_USER=mastodon's\nDB_HOST=mastodon's")
    machine.own("DB_NAME=own\n\nDB_USER=own")
    settings = machine.load({"DB_NAME": "environment"})
    assert (settings.db_name, settings.db_user, settings.db_host) == ("environment", "own", "mastodon's")
    assert settings.origins["DB_NAME"] == "environment"
    assert f"{machine.own_path}, line 3" == settings.origins["DB_USER"]
    assert f"{machine.mastodon_path}, line 3" == settings.origins["DB_HOST"]


def test_credentials_stand_between_environment_and_files(machine: Machine) -> None:
    """A credential wins over our file and loses against the environment."""
    machine.own("DB_PASS=own\nSMTP_PASSWORD=own").credential("db_pass", "credential\n")
    settings = machine.credential("smtp_password", "credential").load({"SMTP_PASSWORD": "environment"})
    assert settings.db_pass is not None
    assert settings.db_pass.get_secret_value() == "credential"
    assert (
        settings.origins["DB_PASS"],
        settings.origins["SMTP_PASSWORD"],
    ) == ("credential db_pass", "environment")


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_hides_what_stands_below(machine: Machine, blank: str) -> None:
    """A blank value counts as not set, but the sources below are not asked: so it is with dotenv."""
    settings = machine.own("DB_NAME=own").load({"DB_NAME": blank})
    assert settings.db_name == "mastodon_production"
    assert "DB_NAME" not in settings.origins


def test_only_what_the_design_names_is_taken_from_mastodons_file(machine: Machine) -> None:
    """Mastodon's file cannot set our own variables, nor name a file to read: it belongs to another user."""
    secret = machine.file("ours", "ours")
    machine.mastodon(
        f"UPDATE_CHECK_INTERVAL=1h\nUPDATE_CHECK_TYPO=1\nUPDATE_CHECK_LEDGER=/x\nSMTP_PASSWORD_FILE={secret}\n"
        "SMTP_SERVER=mail.example\nMASTODON_VERSION_METADATA=glitch\nSECRET_KEY_BASE=x\nSMTP_NEW=$(id)\n"
        "UPDATE_CHECK_URL=https://updates.example/\n"
    )
    settings = machine.load()
    assert {
        "SMTP_SERVER",
        "MASTODON_VERSION_METADATA",
        URL,
        "UPDATE_CHECK_CONFIG",
        "UPDATE_CHECK_MASTODON_ROOT",
    } == set(settings.origins)
    assert settings.url == "https://updates.example/"
    assert settings.version_environment == {"MASTODON_VERSION_METADATA": "glitch"}
    assert "password" not in machine.sink("email").options


@pytest.mark.parametrize("value", ["", "  ", '""', "'\"\"'", "false", "~"])
def test_mastodons_own_check_silenced(machine: Machine, value: str) -> None:
    """What switches Mastodon's check off does not switch ours off."""
    settings = machine.mastodon(f"{URL}={value}").load()
    assert (settings.url, settings.off_reason, settings.mastodon_check_is_off) == (UPDATE_SERVER, "", True)


def test_mastodons_own_check_silenced_and_ours_elsewhere(machine: Machine) -> None:
    """That Mastodon's check is off is noticed even when our URL stands in our own file."""
    settings = machine.mastodon(f"{URL}=").own(f"{URL}=https://updates.example/").load()
    assert (settings.url, settings.mastodon_check_is_off) == ("https://updates.example/", True)


def test_mastodons_check_on(machine: Machine) -> None:
    """Without a word about it, Mastodon's check is on; the environment's blank URL is about ours."""
    settings = machine.mastodon("LOCAL_DOMAIN=social.example").load({URL: " "})
    assert (
        settings.url,
        settings.off_reason,
        settings.mastodon_check_is_off,
    ) == (None, "UPDATE_CHECK_URL is blank", False)


def test_our_variables_are_not_put_into_mastodons_values(machine: Machine) -> None:
    """Whoever owns Mastodon's file cannot have our secrets sent to a server of his."""
    secrets = {
        "UPDATE_CHECK_WEBHOOK_URL": "https://hooks.example/secret",
        "DATABASE_URL": "postgresql://u:secret@db/x",
        "BACKUP_PASSPHRASE": "secret of root's",
        "LOCAL_DOMAIN": "social.example",
    }
    machine.mastodon(
        "SMTP_SERVER=evil.example\nSMTP_LOGIN=x$UPDATE_CHECK_WEBHOOK_URL$DATABASE_URL\nSMTP_PASSWORD=x$BACKUP_PASSPHRASE\n"
        "SMTP_FROM_ADDRESS=mail@$LOCAL_DOMAIN"
    )
    options = machine.sink("email", secrets).options
    assert ("x", "x", "mail@social.example") == (options["login"], options["password"], options["from_address"])


def test_commands_count_only_in_what_is_used(machine: Machine) -> None:
    """A command in a variable that is not ours, or that a higher source hides, is nobody's business."""
    machine.mastodon("SECRET_KEY_BASE=$(openssl rand)\nDB_NAME=$(id)\nUPDATE_CHECK_URL=$(id)")
    settings = machine.load({"DB_NAME": "mastodon", URL: "https://updates.example"})
    assert settings.db_name == "mastodon"


def test_commands_in_what_is_used(machine: Machine) -> None:
    """A command in a variable that we use is never executed, but named."""
    machine.mastodon("A=1\nDB_NAME=$(id)").own("SMTP_PASSWORD=$(id)")
    rule = "holds $(…), which is never executed here: write its result instead."
    assert [
        f"SMTP_PASSWORD (config.env, line 1) {rule}",
        f"DB_NAME (.env.production, line 2) {rule}",
    ] == machine.problems()


def test_default_files_may_be_missing(tmp_path: Path) -> None:
    """Neither our own default file nor Mastodon's needs to be there."""
    machine = Machine(tmp_path)
    settings = machine.load({"UPDATE_CHECK_CONFIG": ""})
    assert (settings.config_file, settings.mastodon_env_file) == (None, None)


def test_files_that_were_read(machine: Machine) -> None:
    """The settings say which files they come from."""
    settings = machine.mastodon("").load()
    assert (machine.own_path, machine.mastodon_path) == (settings.config_file, settings.mastodon_env_file)


def test_mastodons_file_elsewhere(machine: Machine) -> None:
    """Our own file may say where Mastodon's is."""
    path = machine.file("copy.env", "LOCAL_DOMAIN=social.example")
    machine.mastodon("LOCAL_DOMAIN=other.example").own(f"UPDATE_CHECK_MASTODON_ENV_FILE={path}")
    assert machine.load().instance == "social.example"


def test_mastodons_root_elsewhere(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The default file lies in the Mastodon tree that is set."""
    root = tmp_path_factory.mktemp("live")
    (root / ".env.production").write_text("LOCAL_DOMAIN=social.example")
    settings = machine.load({"UPDATE_CHECK_MASTODON_ROOT": str(root)})
    assert (root, "social.example") == (settings.mastodon_root, settings.instance)


@pytest.mark.parametrize("variable", ["UPDATE_CHECK_CONFIG", "UPDATE_CHECK_MASTODON_ENV_FILE"])
def test_files_that_were_asked_for_must_be_readable(machine: Machine, variable: str) -> None:
    """A file that somebody names must be a regular one of bearable size; nothing waits for a pipe or a device."""
    os.mkfifo(machine.home / "pipe")
    machine.file("large", "#" * (FILE_BYTES + 1))
    start = f"{variable} (environment) names a file, "
    irregular = "cannot be read: not a regular file."
    assert {
        "missing": [f"{start}missing, that cannot be read: No such file or directory."],
        "pipe": [f"{start}pipe, that {irregular}"],
        "": [f"{start}{machine.home}, that {irregular}"],
        "large": [f"{start}large, that is larger than {FILE_BYTES} bytes."],
    } == {name: machine.problems({variable: str(machine.home / name)}) for name in ("missing", "pipe", "", "large")}
    assert [f"{start}/dev/zero, that {irregular}"] == machine.problems({variable: "/dev/zero"})


def test_default_file_of_mastodon_is_used_only_when_readable(machine: Machine) -> None:
    """A pipe in its place is not waited for; but a file that is too large would be half the truth."""
    os.mkfifo(machine.mastodon_path)
    assert machine.load().mastodon_env_file is None
    machine.mastodon_path.unlink()
    machine.mastodon("#" * (FILE_BYTES + 1))
    start = "UPDATE_CHECK_MASTODON_ENV_FILE (default) names a file, .env.production"
    assert [f"{start}, that is larger than {FILE_BYTES} bytes."] == machine.problems()


def test_our_file_cannot_say_where_it_is(machine: Machine) -> None:
    """`UPDATE_CHECK_CONFIG` in our own file would be of no effect."""
    machine.own("UPDATE_CHECK_CONFIG=/elsewhere")
    assert machine.problems() == [
        "UPDATE_CHECK_CONFIG (config.env, line 1) comes too late here: set it in the environment."
    ]


def test_export_of_nothing(machine: Machine) -> None:
    """A file of ours that Ruby would refuse is refused; its text is not shown."""
    machine.own("A=b\nexport HUNTER2").mastodon("export NOTHING")
    assert [problem.removeprefix(f"{machine.home}/") for problem in machine.problems()] == [
        "config.env, line 2, exports a variable that the file does not set: write export NAME=value."
    ]


def test_byte_order_mark(machine: Machine) -> None:
    """A byte order mark belongs to no name, as in Ruby."""
    assert machine.own("\ufeffDB_NAME=x").load().db_name == "x"


def test_other_encodings(machine: Machine) -> None:
    """A comment may be in any encoding; a value that is used must be UTF-8."""
    machine.own_path.write_bytes(b"# gr\xfc\xdfe\nDB_NAME=x\n")
    assert machine.load().db_name == "x"
    machine.own_path.write_bytes(b"DB_NAME=gr\xfc\xdfe\n")
    assert machine.problems() == ["DB_NAME (config.env, line 1) is not UTF-8: text in this encoding is allowed."]


def test_values_that_are_too_long(machine: Machine) -> None:
    """No value is longer than the limit, wherever it comes from."""
    long = "x" * (VALUE_BYTES + 1)
    machine.own("A=" + "x" * VALUE_BYTES + "\nDB_USER=$A$A")
    assert [
        f"DB_NAME (environment) is too long: at most {VALUE_BYTES} bytes are allowed.",
        f"DB_USER (config.env, line 2) is longer than {VALUE_BYTES} bytes once its variables are put in.",
    ] == machine.problems({"DB_NAME": long})


def test_yaml_quotes(machine: Machine) -> None:
    """The quotes that Mastodon 4.4 drops are dropped, one pair, from its file only, and not from the database's."""
    machine.mastodon("SMTP_SERVER=localhost\nSMTP_PASSWORD='\"p w\"'\nSMTP_LOGIN='\"x'\nDB_PASS='\"q\"'")
    options, db_pass = machine.sink("email").options, machine.load().db_pass
    assert db_pass is not None
    assert (options["password"], options["login"], db_pass.get_secret_value()) == ("p w", '"x', '"q"')
    assert machine.own("SMTP_PASSWORD='\"own\"'").sink("email").options["password"] == '"own"'
