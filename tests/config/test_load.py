"""The settings as a whole: defaults, what depends on several variables, and that secrets stay unseen."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from config.machine import Machine
from mastodon_update_check.config.recipients import Recipients
from mastodon_update_check.config.settings import SECRETS, UPDATE_SERVER
from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.versions import MastodonVersion


def test_defaults(machine: Machine) -> None:
    """The defaults that are not those of a documented variable are these."""
    settings = machine.load()
    expected = {
        "off_reason": "",
        "jitter": timedelta(minutes=1),
        "version_environment": {},
        "instance": "localhost",
        "instance_is_assumed": True,
        "web_domain": "localhost",
        "instance_url": None,
        "recipients": Recipients(devops=True, addresses=()),
        "ledger": "/var/lib/mastodon-update-check/ledger.sqlite3",
    }
    assert {name: getattr(settings, name) for name in expected} == expected


ADDRESSES = (
    ("a=b@c.example", Preference.ALL),
    ("ops@example.org", Preference.CRITICAL),
    ("x@bücher.example", Preference.NONE),
)
EVERYTHING = [
    ("UPDATE_CHECK_URL", "http://127.0.0.1:8080/check?x=y", "url", "http://127.0.0.1:8080/check?x=y"),
    ("UPDATE_CHECK_INTERVAL", "90s", "interval", timedelta(seconds=90)),
    ("UPDATE_CHECK_JITTER", "0", "jitter", timedelta(0)),
    ("UPDATE_CHECK_MASTODON_VERSION", "v4.5.9+glitch", "mastodon_version", MastodonVersion.parse("4.5.9")),
    ("UPDATE_CHECK_INSTANCE_URL", "http://web:3000", "instance_url", "http://web:3000"),
    ("UPDATE_CHECK_DATABASE_URL", "host=/run dbname=x", "database_url", "host=/run dbname=x"),
    (
        "UPDATE_CHECK_RECIPIENTS",
        "a=b@c.example, ops@example.org=Critical , x@bücher.example = none,",
        "recipients",
        Recipients(devops=False, addresses=ADDRESSES),
    ),
    ("UPDATE_CHECK_OPERATOR", "root@localhost", "operator", ("root@localhost",)),
    ("UPDATE_CHECK_LEDGER", "postgres://u:s3cret@db/ledger", "ledger", "postgresql://u:s3cret@db/ledger"),
    ("UPDATE_CHECK_HEARTBEAT_URL", "https://ping.example/x", "heartbeat_url", "https://ping.example/x"),
    ("UPDATE_CHECK_APPRISE_URL", "tgram://s3cret", "apprise_url", "tgram://s3cret"),
    ("UPDATE_CHECK_METRICS_FILE", "/var/lib/node/x.prom", "metrics_file", Path("/var/lib/node/x.prom")),
    ("UPDATE_CHECK_PAGE_FILE", "/var/www/status/index.html", "page_file", Path("/var/www/status/index.html")),
    (
        "UPDATE_CHECK_RELEASE_DETAILS",
        "https://git.example/v{version}/",
        "release_details",
        "https://git.example/v{version}/",
    ),
    ("UPDATE_CHECK_REMINDERS", "none", "reminders", "none"),
    ("UPDATE_CHECK_CLOSURE", "ALL", "closure", "all"),
    ("UPDATE_CHECK_INSTALL_KIND", "docker", "install_kind", "docker"),
    ("UPDATE_CHECK_LOG_LEVEL", "Debug", "log_level", "debug"),
    ("UPDATE_CHECK_LOG_FORMAT", "json", "log_format", "json"),
    ("LOCAL_DOMAIN", "Social.Example", "instance", "social.example"),
    ("WEB_DOMAIN", "www.social.example", "web_domain", "www.social.example"),
    ("https_proxy", "proxy:3128", "https_proxy", "http://proxy:3128"),
    ("DATABASE_URL", "postgresql://s3cret", "mastodon_database_url", "postgresql://s3cret"),
    ("DB_SSLMODE", "verify-full", "db_sslmode", "verify-full"),
]


def test_everything_set(machine: Machine) -> None:
    """Each variable arrives as a value of its kind."""
    settings = machine.load({variable: text for variable, text, _, _ in EVERYTHING})
    assert not settings.instance_is_assumed
    assert {name: getattr(settings, name) for _, _, name, _ in EVERYTHING} == {row[2]: row[3] for row in EVERYTHING}


@pytest.mark.parametrize(
    ("value", "template"),
    [
        (" ", ""),
        ("off", ""),
        ("GitHub", "https://raw.githubusercontent.com/mastodon/mastodon/v{version}/"),
        (" http://127.0.0.1:8080/{version} ", "http://127.0.0.1:8080/{version}"),
    ],
)
def test_release_details(machine: Machine, value: str, template: str) -> None:
    """`github` stands for a URL template; `off` and blank switch release details off."""
    assert machine.load({"UPDATE_CHECK_RELEASE_DETAILS": value}).release_details == template


def test_devops_and_others(machine: Machine) -> None:
    """`devops` stands among the addresses."""
    settings = machine.load({"UPDATE_CHECK_RECIPIENTS": "ops@example.org,DevOps"})
    assert settings.recipients == Recipients(devops=True, addresses=(("ops@example.org", Preference.ALL),))


@pytest.mark.parametrize(
    ("environ", "url", "reason"),
    [
        ({"UPDATE_CHECK_URL": ""}, None, "UPDATE_CHECK_URL is blank"),
        ({"UPDATE_CHECK_URL": " \t"}, None, "UPDATE_CHECK_URL is blank"),
        ({"SELF_DESTRUCT": "s3cret"}, None, "SELF_DESTRUCT is set"),
        ({"SELF_DESTRUCT": " "}, UPDATE_SERVER, ""),
        ({"UPDATE_CHECK_URL": "https://[::1]/"}, "https://[::1]/", ""),
    ],
)
def test_checking_is_off(machine: Machine, environ: dict[str, str], url: str | None, reason: str) -> None:
    """Checking is off for a reason."""
    settings = machine.load(environ)
    assert (settings.url, settings.off_reason) == (url, reason)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"LOCAL_DOMAIN": "a.example"}, "https://a.example"),
        ({"LOCAL_DOMAIN": "a.example", "WEB_DOMAIN": "b.example"}, "https://b.example"),
        ({"LOCAL_DOMAIN": "a.example", "UPDATE_CHECK_INSTANCE_URL": " "}, None),
        ({"UPDATE_CHECK_INSTANCE_URL": "http://localhost:3000"}, "http://localhost:3000"),
        ({"WEB_DOMAIN": "b.example"}, None),
    ],
)
def test_instance_url(machine: Machine, environ: dict[str, str], url: str | None) -> None:
    """The running server is asked at its own name, unless that is unknown or it is not to be asked."""
    assert machine.load(environ).instance_url == url


def test_mastodon_root(machine: Machine) -> None:
    """Mastodon is where its own instructions put it."""
    assert machine.load({"UPDATE_CHECK_MASTODON_ROOT": ""}).mastodon_root == Path("/home/mastodon/live")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1:99", "[::1]:8080", "localhost", "feed.localhost"])
def test_short_intervals_on_loopback(machine: Machine, host: str) -> None:
    """An update server on this machine may be asked every second; the default jitter follows."""
    settings = machine.load({"UPDATE_CHECK_URL": f"http://{host}/", "UPDATE_CHECK_INTERVAL": "1"})
    assert (settings.interval, settings.jitter) == (timedelta(seconds=1), timedelta(seconds=1))


@pytest.mark.parametrize("host", ["localhost.example", "10.0.0.1", "127.0.0.1.example"])
def test_no_short_intervals_elsewhere(machine: Machine, host: str) -> None:
    """A host that only looks like this machine is asked every five minutes at most."""
    environ = {"UPDATE_CHECK_URL": f"http://{host}/"}
    assert len(machine.problems(environ | {"UPDATE_CHECK_INTERVAL": "4m"})) == 1
    assert machine.load(environ | {"UPDATE_CHECK_INTERVAL": "5m"}).interval == timedelta(minutes=5)


def test_jitter_as_long_as_the_interval(machine: Machine) -> None:
    """The spread may be the whole interval."""
    settings = machine.load({"UPDATE_CHECK_INTERVAL": "5m", "UPDATE_CHECK_JITTER": "300s"})
    assert settings.interval == settings.jitter


def test_secrets_are_never_shown(machine: Machine) -> None:
    """No secret is in the `repr` or `str` of the settings, and no URL or address that may hold one."""
    key = "whsec_" + "c2VjcmV0" * 4
    urls = ("UPDATE_CHECK_URL", "UPDATE_CHECK_INSTANCE_URL", "UPDATE_CHECK_WEBHOOK_URL")
    settings = machine.load(
        dict.fromkeys((*SECRETS, *urls), "https://u:s3cret@social.example")
        | dict.fromkeys(("UPDATE_CHECK_RECIPIENTS", "UPDATE_CHECK_OPERATOR", "SELF_DESTRUCT"), "s3cret@example.org")
        | {"UPDATE_CHECK_LEDGER": "postgresql://u:s3cret@db/x", "UPDATE_CHECK_WEBHOOK_SECRET": key}
        | {"SMTP_SERVER": "localhost"}
    )
    shown = f"{settings!r} {settings} {settings.sinks!r} {settings.origins!r}"
    assert [secret for secret in ("s3cret", key) if secret in shown] == []


def test_nothing_of_the_process_is_read(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the environment that is handed over counts."""
    monkeypatch.setenv("DB_NAME", "process")
    monkeypatch.setenv("db_user", "process")
    elsewhere = machine.home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text("DB_HOST=process")
    monkeypatch.chdir(elsewhere)
    settings = machine.load()
    assert (settings.db_name, settings.db_user, settings.db_host) == ("mastodon_production", "mastodon", "localhost")


def test_heavy_modules_are_not_imported() -> None:
    """Settings are read without a library: they cost nothing of httpx, psycopg or the other adapters."""
    code = (
        "import pathlib, sys; from mastodon_update_check.config import load_settings; "
        "load_settings({'HOME': '/x', 'UPDATE_CHECK_MASTODON_ROOT': '/nowhere'}, pathlib.Path('/nowhere/config.env')); "
        "print(*sorted({'httpx', 'psycopg', 'pydantic', 'importlib.metadata', 'idna', 'smtplib'} & {*sys.modules}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert result.stdout.strip() == ""
