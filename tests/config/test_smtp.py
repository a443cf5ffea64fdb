"""Mastodon's mail settings keep their meaning."""

import pytest

from config.machine import Machine

DEFAULTS = {
    "server": "mail.example",
    "port": "25",
    "domain": "social.example",
    "from_address": "notifications@localhost",
    "auth_method": "plain",
    "openssl_verify_mode": "peer",
    "starttls": "auto",
    "tls": "false",
}

ROWS = [
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


@pytest.mark.parametrize(("given", "options"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_options(machine: Machine, given: dict[str, str], options: dict[str, str]) -> None:
    """The options of the email sink say what Mastodon would do."""
    environ = {f"SMTP_{name}": value for name, value in given.items()}
    sink = machine.sink("email", {"SMTP_SERVER": "mail.example", "LOCAL_DOMAIN": "Social.example"} | environ)
    assert sink.options == DEFAULTS | options


def test_greeting_of_an_unknown_instance(machine: Machine) -> None:
    """Without any domain we greet as localhost."""
    assert machine.sink("email", {"SMTP_SERVER": "mail.example"}).options["domain"] == "localhost"
