"""The sinks in use, their options, and what they lack."""

from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from config.machine import Machine
from mastodon_update_check.domain.recipients import Preference

HOOK = "https://hooks.example/T0/s3cret"
KEY = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NTFY = """[mastodon_update_check.sinks]
ntfy = nowhere:create
Ntfy-Fast = nowhere:create
"""


@pytest.fixture
def other_sinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package with sinks."""
    information = tmp_path / "site" / "other_sinks-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: other-sinks\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(NTFY)
    monkeypatch.syspath_prepend(str(information.parent))
    yield
    invalidate_caches()


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ["log"]),
        ({"SMTP_SERVER": "localhost"}, ["log", "email"]),
        ({"UPDATE_CHECK_WEBHOOK_URL": HOOK}, ["log", "webhook"]),
        ({"UPDATE_CHECK_WEBHOOK_OPS_URL": HOOK, "SMTP_SERVER": "localhost"}, ["log", "email", "webhook.ops"]),
        ({"UPDATE_CHECK_SINKS": "log", "SMTP_SERVER": "localhost", "UPDATE_CHECK_WEBHOOK_URL": HOOK}, ["log"]),
        ({"UPDATE_CHECK_SINKS": " Email,log, email", "SMTP_SERVER": "localhost"}, ["email", "log"]),
        ({"UPDATE_CHECK_SINKS": " ", "SMTP_SERVER": "localhost"}, ["log", "email"]),
        (
            {
                "UPDATE_CHECK_SINKS": "webhook",
                "UPDATE_CHECK_WEBHOOK_URL": HOOK,
                "UPDATE_CHECK_WEBHOOK_ON_CALL_2_URL": f"{HOOK}/2",
                "UPDATE_CHECK_WEBHOOK_A_URL": f"{HOOK}/3",
            },
            ["webhook", "webhook.a", "webhook.on_call_2"],
        ),
    ],
)
def test_sinks_in_use(machine: Machine, environ: dict[str, str], names: list[str]) -> None:
    """Without a list, what is configured is used; a list says which, and in which order."""
    assert [sink.name for sink in machine.load(environ).sinks] == names


def test_webhook(machine: Machine) -> None:
    """A webhook gets its options, and the proxies that are set."""
    sink = machine.sink(
        "webhook.ops",
        {
            "UPDATE_CHECK_WEBHOOK_OPS_URL": f" {HOOK} ",
            "UPDATE_CHECK_WEBHOOK_OPS_SECRET": f"{KEY}\t {KEY} ",
            "UPDATE_CHECK_WEBHOOK_OPS_PREFERENCE": "Critical",
            "UPDATE_CHECK_WEBHOOK_OPS_NAMES": "Yes",
            "https_proxy": "proxy.example:3128",
            "http_proxy": "http://user:pw@proxy.example",
            "no_proxy": "localhost,.internal",
        },
    )
    assert (sink.plugin, sink.preference) == ("webhook", Preference.CRITICAL)
    assert sink.options == {
        "url": HOOK,
        "secret": f"{KEY} {KEY}",
        "names": "true",
        "https_proxy": "http://proxy.example:3128",
        "http_proxy": "http://user:pw@proxy.example",
        "no_proxy": "localhost,.internal",
    }


def test_webhook_with_nothing_but_a_url(machine: Machine) -> None:
    """A variable that is not set is not among the options."""
    sink = machine.sink("webhook", {"UPDATE_CHECK_WEBHOOK_URL": HOOK, "UPDATE_CHECK_WEBHOOK_SECRET": ""})
    assert (sink.options, sink.preference) == ({"url": HOOK, "names": "false"}, Preference.ALL)


def test_log_preference(machine: Machine) -> None:
    """The log has a preference, and no options."""
    sink = machine.sink("log", {"UPDATE_CHECK_LOG_PREFERENCE": "patch"})
    assert (sink.preference, sink.options) == (Preference.PATCH, {})


HOST = "(localhost is the mail server of this host)"
LACKING = [
    (
        {"UPDATE_CHECK_SINKS": "email"},
        f"email is listed, but SMTP_SERVER is not set: set it {HOST}, or remove email from the list.",
    ),
    (
        {"UPDATE_CHECK_SINKS": "webhook"},
        "webhook is listed, but UPDATE_CHECK_WEBHOOK_URL is not set: set it, or remove webhook from the list.",
    ),
    (
        {"UPDATE_CHECK_SINKS": "apprise"},
        "apprise is listed, but UPDATE_CHECK_APPRISE_URL is not set: set it, or remove apprise from the list.",
    ),
    ({"UPDATE_CHECK_SINKS": "log, emial"}, "entry 2 is not an installed sink: did you mean email?"),
    (
        {"UPDATE_CHECK_SINKS": "xmpp", "UPDATE_CHECK_XMPP_PASSWORD": "s3cret"},
        "entry 1 is not an installed sink: install its package, or choose from apprise, email, log, webhook.",
    ),
    ({"UPDATE_CHECK_WEBHOOK_SECRET": KEY}, "the webhook has no URL: set UPDATE_CHECK_WEBHOOK_URL, or remove this."),
    (
        {"UPDATE_CHECK_WEBHOOK_OPS_NAMES": "true"},
        "the webhook has no URL: set UPDATE_CHECK_WEBHOOK_OPS_URL, or remove this.",
    ),
    (
        {"UPDATE_CHECK_WEBHOOK_OPS_URL": HOOK, "UPDATE_CHECK_WEBHOOK_URL": HOOK},
        "expected a URL of its own, got the one of UPDATE_CHECK_WEBHOOK_URL.",
    ),
    ({"UPDATE_CHECK_APPRISE_URL": "s3cret"}, "expected space-separated URLs such as ntfys://ntfy.example/topic."),
    (
        {"UPDATE_CHECK_APPRISE_URL": "tgram://s3cret/1 tgram://s3cret/1"},
        "expected each URL once, got one of them twice.",
    ),
]


@pytest.mark.parametrize(("environ", "problem"), LACKING)
def test_missing_settings_of_a_sink(machine: Machine, environ: dict[str, str], problem: str) -> None:
    """A sink without what it needs is a problem of the first variable, with the remedy and without a secret."""
    assert machine.problems(environ) == [f"{next(iter(environ))} in the environment: {problem}"]


@pytest.mark.usefixtures("other_sinks")
def test_sink_of_another_package(machine: Machine) -> None:
    """Its variables are its options, from every source but Mastodon's file; what is blank is not set."""
    machine.mastodon("UPDATE_CHECK_NTFY_URL=x").own("UPDATE_CHECK_NTFY_TOPIC=own\nUPDATE_CHECK_NTFY_CA_FILE=/ca")
    machine.credential("update_check_ntfy_token", "s3cret\n")
    environ = {
        "UPDATE_CHECK_SINKS": "ntfy,ntfy-fast",
        "UPDATE_CHECK_NTFY_PREFERENCE": "none",
        "UPDATE_CHECK_NTFY_TITLE": " ",
        "UPDATE_CHECK_NTFY_FAST_URL": HOOK,
    }
    ntfy, fast = machine.load(environ).sinks
    assert (ntfy.name, ntfy.plugin, ntfy.preference) == ("ntfy", "ntfy", Preference.NONE)
    assert ntfy.options == {"topic": "own", "ca_file": "/ca", "token": "s3cret"}
    assert (fast.name, fast.plugin, fast.options) == ("ntfy-fast", "Ntfy-Fast", {"url": HOOK})


@pytest.mark.usefixtures("other_sinks")
def test_sink_of_another_package_that_is_not_used(machine: Machine) -> None:
    """Its variables are accepted while the package is installed."""
    assert [sink.name for sink in machine.load({"UPDATE_CHECK_NTFY_URL": "x"}).sinks] == ["log"]
    assert [sink.name for sink in machine.credential("update_check_ntfy_url", "x").load().sinks] == ["log"]


@pytest.mark.usefixtures("other_sinks")
def test_wrong_preference_of_another_packages_sink(machine: Machine) -> None:
    """The preference of a sink of another package is checked here."""
    assert machine.problems({"UPDATE_CHECK_SINKS": "ntfy", "UPDATE_CHECK_NTFY_PREFERENCE": "maybe"}) == [
        'UPDATE_CHECK_NTFY_PREFERENCE in the environment: expected none, critical, patch or all, got "maybe".'
    ]


def test_apprise(machine: Machine) -> None:
    """Each of its URLs makes a sink of its own, which is used without being listed; all get the proxies."""
    urls = "ntfys://ntfy.example/t0pic  tgram://s3cret/1"
    settings = machine.load(
        {"UPDATE_CHECK_APPRISE_URL": urls, "UPDATE_CHECK_APPRISE_PREFERENCE": "critical", "https_proxy": "proxy:3128"}
    )
    assert settings.sink_names == ("log", "apprise", "apprise.2")
    proxy = {"https_proxy": "http://proxy:3128"}
    expected = [{"url": url, **proxy} for url in urls.split()]
    assert [dict(sink.options) for sink in settings.sinks[1:]] == expected
    assert {sink.plugin for sink in settings.sinks[1:]} == {"apprise"}
    assert {sink.preference for sink in settings.sinks[1:]} == {Preference.CRITICAL}


MAIL_DEFAULTS = {
    "server": "mail.example",
    "port": "25",
    "domain": "social.example",
    "from_address": "notifications@localhost",
    "auth_method": "plain",
    "openssl_verify_mode": "peer",
    "starttls": "auto",
    "tls": "false",
}

MAIL = [
    ("defaults are Mastodon's", {}, {}),
    ("a port", {"PORT": "587"}, {"port": "587"}),
    ("a login", {"LOGIN": "u", "PASSWORD": " p "}, {"login": "u", "password": " p "}),
    ("an empty login is none", {"LOGIN": "", "PASSWORD": " "}, {}),
    ("a name to greet with", {"DOMAIN": "Relay.example"}, {"domain": "relay.example"}),
    ("a sender with a name", {"FROM_ADDRESS": "M <m@ä.example>"}, {"from_address": "M <m@ä.example>"}),
    ("where answers go", {"REPLY_TO": "r@example.org"}, {"reply_to": "r@example.org"}),
    ("where bounces go", {"RETURN_PATH": "b@example.org"}, {"return_path": "b@example.org"}),
    ("the ways to log in", {"AUTH_METHOD": "cram_md5"}, {"auth_method": "cram_md5"}),
    ("no log-in", {"AUTH_METHOD": "none"}, {"auth_method": "none"}),
    ("an empty way to log in is plain", {"AUTH_METHOD": ""}, {}),
    ("certificates", {"CA_FILE": "/ca.pem"}, {"ca_file": "/ca.pem"}),
    ("an empty file of certificates is the system's", {"CA_FILE": ""}, {}),
    ("no check of certificates", {"OPENSSL_VERIFY_MODE": "none"}, {"openssl_verify_mode": "none"}),
    ("modes of servers mean the check", {"OPENSSL_VERIFY_MODE": "client_once"}, {}),
    ("another mode of servers", {"OPENSSL_VERIFY_MODE": "fail_if_no_peer_cert"}, {}),
    ("STARTTLS always", {"ENABLE_STARTTLS": "always"}, {"starttls": "always"}),
    ("STARTTLS never", {"ENABLE_STARTTLS": "never"}, {"starttls": "never"}),
    ("STARTTLS never, by the older variable", {"ENABLE_STARTTLS_AUTO": "false"}, {"starttls": "never"}),
    ("the older variable counts only as false", {"ENABLE_STARTTLS_AUTO": "no"}, {}),
    ("auto wins over the older variable", {"ENABLE_STARTTLS": "auto", "ENABLE_STARTTLS_AUTO": "false"}, {}),
    (
        "an unknown word leaves it to the older variable",
        {"ENABLE_STARTTLS": "true", "ENABLE_STARTTLS_AUTO": "false"},
        {"starttls": "never"},
    ),
    ("implicit TLS", {"TLS": "true"}, {"tls": "true"}),
    ("implicit TLS, by the other variable", {"SSL": "true", "TLS": "false"}, {"tls": "true"}),
    ("implicit TLS only for exactly true", {"TLS": "1", "SSL": "TRUE"}, {}),
    ("the delivery method", {"DELIVERY_METHOD": "smtp"}, {}),
    ("an IP address", {"SERVER": "192.0.2.1"}, {"server": "192.0.2.1"}),
    ("an IPv6 address in brackets", {"SERVER": "[2001:DB8::1]"}, {"server": "2001:db8::1"}),
    ("a name of a container", {"SERVER": "mail_relay"}, {"server": "mail_relay"}),
    ("an international name", {"SERVER": "bücher.example"}, {"server": "bücher.example"}),
    ("what is for mass mail is not read", {"NEW": "$(id)"}, {}),
]


@pytest.mark.parametrize(("given", "options"), [row[1:] for row in MAIL], ids=[row[0] for row in MAIL])
def test_options_of_mail(machine: Machine, given: dict[str, str], options: dict[str, str]) -> None:
    """The options of the email sink say what Mastodon would do."""
    environ = {f"SMTP_{name}": value for name, value in given.items()}
    sink = machine.sink("email", {"SMTP_SERVER": "mail.example", "LOCAL_DOMAIN": "Social.example"} | environ)
    assert sink.options == MAIL_DEFAULTS | options


def test_greeting_of_an_unknown_instance(machine: Machine) -> None:
    """Without any domain we greet as localhost."""
    assert machine.sink("email", {"SMTP_SERVER": "mail.example"}).options["domain"] == "localhost"
