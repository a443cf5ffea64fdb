"""A password of the administrator, and what Mastodon's files may decide about its way."""

import pytest

from config.machine import Machine

LOGIN = "SMTP_SERVER=mail.example\nSMTP_LOGIN=m\nSMTP_PASSWORD=s3cret"
MAIL = {
    "nothing but the port": (LOGIN, "SMTP_PORT=587", []),
    "what is weaker only on another host": (
        LOGIN.replace("mail.example", "localhost"),
        "SMTP_OPENSSL_VERIFY_MODE=none\nSMTP_ENABLE_STARTTLS=never",
        [],
    ),
    "the authorities of the system, and STARTTLS": (
        LOGIN,
        "SMTP_CA_FILE=/etc/ssl/certs/ca-certificates.crt\nSMTP_ENABLE_STARTTLS=always\nSMTP_DOMAIN=a.example",
        [],
    ),
    "STARTTLS beside TLS": (f"{LOGIN}\nSMTP_TLS=true", "SMTP_ENABLE_STARTTLS=never", []),
    "a password of its own": ("", LOGIN, []),
    "a server without a login": ("SMTP_PASSWORD=s3cret", "SMTP_SERVER=evil.example", []),
    "no login wanted": ("SMTP_LOGIN=m\nSMTP_PASSWORD=s3cret\nSMTP_AUTH_METHOD=none", "SMTP_SERVER=mail.example", []),
    "the server": ("SMTP_LOGIN=m\nSMTP_PASSWORD=s3cret", "SMTP_SERVER=evil.example", ["SMTP_SERVER"]),
    "the server, beside its password": ("SMTP_LOGIN=m", "SMTP_SERVER=evil.example\nSMTP_PASSWORD=x", ["SMTP_SERVER"]),
    "the login": ("SMTP_SERVER=mail.example\nSMTP_PASSWORD=s3cret", "SMTP_LOGIN=m", ["SMTP_LOGIN"]),
    "a port that any user of the host may open": (LOGIN, "SMTP_PORT=1024", ["SMTP_PORT"]),
    "no check of the certificate": (LOGIN, "SMTP_OPENSSL_VERIFY_MODE=none", ["SMTP_OPENSSL_VERIFY_MODE"]),
    "other authorities": (LOGIN, "SMTP_CA_FILE=/tmp/evil.pem", ["SMTP_CA_FILE"]),
    "no TLS": (LOGIN, "SMTP_ENABLE_STARTTLS=never", ["SMTP_ENABLE_STARTTLS"]),
    "no TLS, in the older way": (LOGIN, "SMTP_ENABLE_STARTTLS_AUTO=false", ["SMTP_ENABLE_STARTTLS_AUTO"]),
}


@pytest.mark.parametrize(("own", "mastodons", "refused"), MAIL.values(), ids=MAIL)
def test_password_for_mail(machine: Machine, own: str, mastodons: str, refused: list[str]) -> None:
    """Mail is disabled when Mastodon's file decides who can read our password, and only then."""
    machine.own(f"UPDATE_CHECK_WEBHOOK_URL=https://hooks.example/\n{own}").mastodon(mastodons)
    settings = machine.load()
    assert [each.problem.partition(" ")[0] for each in settings.disabled] == refused
    assert ("email" in settings.sink_names) == (not refused)
    assert {"log", "webhook"} <= set(settings.sink_names)


DATABASE = {
    "its name and user": ("DB_PASS=s3cret", "DB_NAME=m\nDB_USER=m\nDB_SSLMODE=require\nDB_PORT=5432", []),
    "the host that is the default": ("DB_PASS=s3cret", "DB_HOST=localhost", []),
    "another login altogether": ("UPDATE_CHECK_DATABASE_URL=host=db\nDB_PASS=s3cret", "DB_HOST=evil.example", []),
    "the host": ("DB_PASS=s3cret", "DB_HOST=evil.example", ["DB_HOST"]),
    "the socket": ("DB_PASS=s3cret", "DB_HOST=/home/mastodon/socket", ["DB_HOST"]),
    "the port": ("DB_PASS=s3cret\nDB_HOST=db.example", "DB_PORT=6432", ["DB_PORT"]),
    "no TLS": ("DB_PASS=s3cret\nDB_HOST=db.example", "DB_SSLMODE=allow", ["DB_SSLMODE"]),
    "a whole URL": ("DB_PASS=s3cret\nDB_HOST=db.example", "DATABASE_URL=postgresql://evil.example/m", ["DATABASE_URL"]),
    "a password of its own": ("", "DB_PASS=x\nDB_HOST=db.example", []),
}


@pytest.mark.parametrize(("own", "mastodons", "refused"), DATABASE.values(), ids=DATABASE)
def test_password_for_the_database(machine: Machine, own: str, mastodons: str, refused: list[str]) -> None:
    """The recipient lookup is disabled when Mastodon's file decides who can read our password, and only then."""
    settings = machine.own(own).mastodon(mastodons).load()
    assert [each.problem.partition(" ")[0] for each in settings.disabled] == refused


def test_mastodons_variables_do_not_complete_our_database_url(machine: Machine) -> None:
    """A URL without host and port gets the defaults, and not those of another user."""
    machine.own("DATABASE_URL=postgresql://m:s3cret@/mastodon").mastodon("DB_HOST=evil.example\nDB_PORT=6666")
    settings = machine.load()
    assert (settings.db_host, settings.db_port, settings.disabled) == ("localhost", 5432, ())


def test_every_source_of_a_password(machine: Machine) -> None:
    """The sentence names both settings and their places; the password may come from a file or from systemd."""
    machine.mastodon("SMTP_SERVER=evil.example\nDB_HOST=evil.example")
    path = machine.file("secret", "s3cret")
    machine.own(f"SMTP_LOGIN=m\nSMTP_PASSWORD_FILE={path}").credential("db_pass", "s3cret")
    mail, database = (each.problem.replace(str(machine.home), "~") for each in machine.load().disabled)
    way = "decides who can read SMTP_PASSWORD (~/secret, which SMTP_PASSWORD_FILE names): set SMTP_SERVER there as well"
    assert mail == f"SMTP_SERVER in ~/.env.production, line 1: {way}"
    way = "decides who can read DB_PASS (credential db_pass): set DB_HOST there as well"
    assert database == f"DB_HOST in ~/.env.production, line 2: {way}"
