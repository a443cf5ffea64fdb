"""Every variable, wrong: the sentence names it, its place, what is wrong and what is allowed, and never its value."""

import pytest

from config.machine import Machine

CHOICES = "is not known: {} are allowed"
PREFERENCES = CHOICES.format("none, critical, patch and all")
FOLLOW_UPS = CHOICES.format("none, urgent and all")
URL = "is not a URL: one that begins with http:// or https:// and a host is allowed, without blanks"
LONG_URL = "is too long: a URL of at most 2000 characters is allowed"
DURATION = "is not a duration: write 90s, 30m, 1h, 2d or a number of seconds"
RELEASE_DETAILS = "is not a source of release details: off, github and a URL with {version} are allowed"
PORT = "is not a port: a number from 1 to 65535 is allowed"
DOMAIN = "is not a domain name: one such as social.example is allowed, without scheme, port and path"
HOST = "is not a host: a domain name or an IP address is allowed, without scheme and port"
ADDRESS = "is not a mail address: one such as admin@social.example is allowed, without a name"
MAILBOX = "is not a mail address: admin@social.example and Name <admin@social.example> are allowed"
ASCII = "is not a mail address for every mail server: before the @ only ASCII is allowed"
CONTROL = "holds control characters: one line of text is allowed"
VERSION = (
    "is not a version of Mastodon: it starts with three numbers, as in 4.5.9, and is printable ASCII of at most "
    "200 characters"
)
SIGNING = (
    "is not a webhook secret: whsec_ and the base64 of 24 to 64 bytes is allowed, "
    "and several of them with blanks between"
)
SHORT = "is too short: at least 5 minutes are allowed, and 1 second for an update server on loopback"
DELIVERY = (
    "is not smtp, the only way here: for the mail server of this host, localhost:25, set it to smtp, "
    "SMTP_SERVER to localhost and SMTP_PORT to 25"
)

ROWS = [
    ("UPDATE_CHECK_URL", "ftp://s3cret.example", URL),
    ("UPDATE_CHECK_URL", "https://", URL),
    ("UPDATE_CHECK_URL", "https://:443/s3cret", URL),
    ("UPDATE_CHECK_URL", "https://s3cret.example:0", URL),
    ("UPDATE_CHECK_URL", "https://s3cret.example:65536", URL),
    ("UPDATE_CHECK_URL", "https://[s3cret", URL),
    ("UPDATE_CHECK_URL", "https://s3cret.example/a b", URL),
    ("UPDATE_CHECK_URL", "https://s3cret.example/\nx", URL),
    ("UPDATE_CHECK_URL", "s3cret.example/x", URL),
    ("UPDATE_CHECK_URL", "https://1.2.3.256/s3cret", URL),
    ("UPDATE_CHECK_URL", "https://[v1.s3cret]/", URL),
    ("UPDATE_CHECK_URL", "https://\uff53ocial.example/s3cret", URL),
    ("UPDATE_CHECK_URL", "https://s3cret.example/".ljust(2001, "x"), LONG_URL),
    ("UPDATE_CHECK_INTERVAL", "s3cret", DURATION),
    ("UPDATE_CHECK_INTERVAL", "-5m", DURATION),
    ("UPDATE_CHECK_INTERVAL", "1.5h", DURATION),
    ("UPDATE_CHECK_INTERVAL", "30 m", DURATION),
    ("UPDATE_CHECK_INTERVAL", "\u0663\u0660m", DURATION),
    ("UPDATE_CHECK_INTERVAL", "9" * 5000, DURATION),
    ("UPDATE_CHECK_INTERVAL", "367d", "is too long: at most 366 days are allowed"),
    ("UPDATE_CHECK_INTERVAL", "999999999d", "is too long: at most 366 days are allowed"),
    ("UPDATE_CHECK_INTERVAL", "299s", SHORT),
    ("UPDATE_CHECK_INTERVAL", "0", SHORT),
    ("UPDATE_CHECK_JITTER", "s3cret", DURATION),
    ("UPDATE_CHECK_JITTER", "31m", "is too long: at most UPDATE_CHECK_INTERVAL is allowed"),
    ("UPDATE_CHECK_MASTODON_ROOT", "/s3c\nret", CONTROL),
    ("UPDATE_CHECK_MASTODON_VERSION", "s3cret", VERSION),
    ("UPDATE_CHECK_MASTODON_VERSION", "4.5", VERSION),
    ("UPDATE_CHECK_INSTANCE_URL", "social.example", URL),
    ("UPDATE_CHECK_RECIPIENTS", ",", "lists nothing: names with commas between are allowed"),
    (
        "UPDATE_CHECK_RECIPIENTS",
        "devops=all",
        "gives devops a preference: each of these users has one in Mastodon",
    ),
    (
        "UPDATE_CHECK_RECIPIENTS",
        "a@b.example=s3cret",
        "has an unknown preference in entry 1: none, critical, patch and all are allowed",
    ),
    ("UPDATE_CHECK_RECIPIENTS", "devops, s3cret", f"has a wrong entry 2, which {ADDRESS}"),
    ("UPDATE_CHECK_RECIPIENTS", "a@b.example, A@B.example=none", "lists an address twice: once is enough"),
    ("UPDATE_CHECK_OPERATOR", "devops", f"has a wrong entry 1, which {ADDRESS}"),
    ("UPDATE_CHECK_OPERATOR", "s3c(ret@b.example", f"has a wrong entry 1, which {ADDRESS}"),
    ("UPDATE_CHECK_OPERATOR", "a@b.example,a@b.example", "lists an address twice: once is enough"),
    ("UPDATE_CHECK_SINKS", ",,", "lists nothing: names with commas between are allowed"),
    (
        "UPDATE_CHECK_LEDGER",
        "mysql://s3cret",
        "is a URL of another kind: a path or a postgresql:// URL is allowed",
    ),
    ("UPDATE_CHECK_LEDGER", "/s3c\0ret", CONTROL),
    ("UPDATE_CHECK_WEBHOOK_URL", "hooks.example/s3cret", URL),
    ("UPDATE_CHECK_LOG_PREFERENCE", "s3cret", PREFERENCES),
    ("UPDATE_CHECK_APPRISE_URL", "tgram://s3cret\0", "holds a NUL character: any other text is allowed"),
    ("UPDATE_CHECK_HEARTBEAT_URL", "s3cret", URL),
    ("UPDATE_CHECK_METRICS_FILE", "/s3c\tret", CONTROL),
    ("UPDATE_CHECK_PAGE_FILE", "/s3c\tret", CONTROL),
    ("UPDATE_CHECK_RELEASE_DETAILS", "https://s3cret.example/", RELEASE_DETAILS),
    ("UPDATE_CHECK_RELEASE_DETAILS", "ftp://s3cret.example/{version}/", URL),
    ("UPDATE_CHECK_REMINDERS", "s3cret", FOLLOW_UPS),
    ("UPDATE_CHECK_CLOSURE", "s3cret", FOLLOW_UPS),
    ("UPDATE_CHECK_INSTALL_KIND", "s3cret", CHOICES.format("source, docker, yunohost, nixos and fork")),
    ("UPDATE_CHECK_LOG_LEVEL", "s3cret", CHOICES.format("debug, info, warning, error and critical")),
    ("UPDATE_CHECK_LOG_FORMAT", "s3cret", CHOICES.format("auto, console and json")),
    ("LOCAL_DOMAIN", "https://s3cret.example", DOMAIN),
    ("LOCAL_DOMAIN", "s3cret.example:443", DOMAIN),
    ("LOCAL_DOMAIN", "s3cret..example", DOMAIN),
    ("LOCAL_DOMAIN", "-s3cret.example", DOMAIN),
    ("LOCAL_DOMAIN", "s3cret ä.example", DOMAIN),
    ("WEB_DOMAIN", ".".join(["s3cret"] * 40), DOMAIN),
    ("https_proxy", "socks5://s3cret.example", URL),
    ("http_proxy", "s3cret example:3128", URL),
    ("no_proxy", "s3cret\x1b", CONTROL),
    ("SMTP_SERVER", "s3cret.example:25", HOST),
    ("SMTP_SERVER", "s3c ret", HOST),
    ("SMTP_PORT", "s3cret", PORT),
    ("SMTP_PORT", "0", PORT),
    ("SMTP_PORT", "65536", PORT),
    ("SMTP_PORT", "²", PORT),
    ("SMTP_PORT", "9" * 5000, PORT),
    ("SMTP_LOGIN", "s3cret\0", "holds a NUL character: any other text is allowed"),
    ("SMTP_PASSWORD", "s3cret\0", "holds a NUL character: any other text is allowed"),
    ("SMTP_DOMAIN", "s3cret/x", HOST),
    ("SMTP_FROM_ADDRESS", "s3cret", ADDRESS),
    ("SMTP_FROM_ADDRESS", "Name <s3cret", MAILBOX),
    ("SMTP_FROM_ADDRESS", "Name <s3c:ret@b.example>", ADDRESS),
    ("SMTP_FROM_ADDRESS", "Name <s3cr\u00e9t@b.example>", ASCII),
    ("SMTP_FROM_ADDRESS", "Na>me <a@s3cret.example>", MAILBOX),
    ("SMTP_FROM_ADDRESS", "Name <s3cret>", ADDRESS),
    ("SMTP_FROM_ADDRESS", "Name\r\nBcc: <a@s3cret.example>", CONTROL),
    ("SMTP_FROM_ADDRESS", "x" * 600, "is too long: at most 500 characters are allowed"),
    ("SMTP_REPLY_TO", "a@b@s3cret.example", ADDRESS),
    ("SMTP_REPLY_TO", "a b@s3cret.example", ADDRESS),
    ("SMTP_RETURN_PATH", "a,b@s3cret.example", ADDRESS),
    ("SMTP_RETURN_PATH", "@s3cret.example", ADDRESS),
    ("UPDATE_CHECK_RECIPIENTS", 'a"b@s3cret.example', f"has a wrong entry 1, which {ADDRESS}"),
    ("UPDATE_CHECK_OPERATOR", "a(b)@s3cret.example", f"has a wrong entry 1, which {ADDRESS}"),
    (
        "SMTP_RETURN_PATH",
        "a@s3cret.example".rjust(255, "a"),
        "is too long: a mail address of at most 254 characters is allowed",
    ),
    ("SMTP_AUTH_METHOD", "s3cret", CHOICES.format("plain, login, cram_md5 and none")),
    ("SMTP_CA_FILE", "/s3c\nret", CONTROL),
    (
        "SMTP_OPENSSL_VERIFY_MODE",
        "s3cret",
        CHOICES.format("none, peer, client_once and fail_if_no_peer_cert"),
    ),
    ("SMTP_ENABLE_STARTTLS", "s3c\nret", CONTROL),
    ("SMTP_TLS", "s3c\nret", CONTROL),
    ("SMTP_DELIVERY_METHOD", "sendmail", DELIVERY),
    ("DATABASE_URL", "s3cret\0", "holds a NUL character: any other text is allowed"),
    ("UPDATE_CHECK_DATABASE_URL", "s3cret\0", "holds a NUL character: any other text is allowed"),
    ("DB_HOST", "s3c\nret", CONTROL),
    ("DB_PORT", "s3cret", PORT),
    ("DB_PASS", "s3cret\0", "holds a NUL character: any other text is allowed"),
    (
        "DB_SSLMODE",
        "s3cret",
        CHOICES.format("disable, allow, prefer, require, verify-ca and verify-full"),
    ),
    ("MASTODON_VERSION_PRERELEASE", "s3c\nret", CONTROL),
]


@pytest.mark.parametrize(("name", "value", "defect"), ROWS)
def test_wrong_value(machine: Machine, name: str, value: str, defect: str) -> None:
    """One wrong variable is one sentence, in which its value does not appear."""
    problems = machine.problems({name: value})
    assert [f"{name} (environment) {defect}."] == problems
    assert "s3cret" not in problems[0]


@pytest.mark.parametrize(
    "secret",
    [
        "s3cret",
        "whsec_s3cret",
        "whsec_" + "AAAA" * 7 + "A",
        "whsec_" + "AAAA" * 7 + "é",
        "whsec_" + "AAAA" * 22,
        "AAAA" * 8,
        "whsec_" + "AAAA" * 8 + " s3cret",
    ],
)
def test_wrong_webhook_secret(machine: Machine, secret: str) -> None:
    """A signing secret is what the specification says it is, and so is each of several."""
    environ = {"UPDATE_CHECK_WEBHOOK_URL": "https://hooks.example", "UPDATE_CHECK_WEBHOOK_SECRET": secret}
    assert [f"UPDATE_CHECK_WEBHOOK_SECRET (environment) {SIGNING}."] == machine.problems(environ)


@pytest.mark.parametrize(
    ("key", "defect"),
    [
        ("PREFERENCE", PREFERENCES),
        ("NAMES", "is neither true nor false: true, yes, on, 1, false, no, off and 0 are allowed"),
    ],
)
def test_wrong_webhook_options(machine: Machine, key: str, defect: str) -> None:
    """What else is said about a webhook is checked too."""
    environ = {"UPDATE_CHECK_WEBHOOK_OPS_URL": "https://hooks.example", f"UPDATE_CHECK_WEBHOOK_OPS_{key}": "s3cret"}
    assert [f"UPDATE_CHECK_WEBHOOK_OPS_{key} (environment) {defect}."] == machine.problems(environ)


def test_all_problems_together(machine: Machine) -> None:
    """An administrator sees everything at once, wherever it stands."""
    machine.mastodon("DB_PORT=$(id)\nSMTP_PORT=none").own("UPDATE_CHECK_JITER=1\nSMTP_PASSWORD_FILE=/nowhere\n")
    machine.own_path.write_text(machine.own_path.read_text() + "UPDATE_CHECK_WEBHOOK_OPS_SECRET=s3cret\n")
    problems = machine.problems({"UPDATE_CHECK_SINKS": "email, webhook, nfty", "UPDATE_CHECK_INTERVAL": "1s"})
    assert [(problem.split(" ")[0], problem[problem.index("(") : problem.index(")") + 1]) for problem in problems] == [
        ("SMTP_PASSWORD_FILE", "(config.env, line 2)"),
        ("DB_PORT", "(.env.production, line 1)"),
        ("SMTP_PORT", "(.env.production, line 2)"),
        ("UPDATE_CHECK_INTERVAL", "(environment)"),
        ("UPDATE_CHECK_WEBHOOK_OPS_SECRET", "(config.env, line 3)"),
        ("UPDATE_CHECK_WEBHOOK_OPS_SECRET", "(config.env, line 3)"),
        ("UPDATE_CHECK_JITER", "(config.env, line 1)"),
        ("UPDATE_CHECK_SINKS", "(environment)"),
        ("UPDATE_CHECK_SINKS", "(environment)"),
        ("UPDATE_CHECK_SINKS", "(environment)"),
    ]


def test_problems_do_not_breed(machine: Machine) -> None:
    """What is set, but wrong, does not count as missing as well."""
    wrong = {
        "SMTP_SERVER": "s3 cret",
        "UPDATE_CHECK_WEBHOOK_URL": "s3cret",
        "UPDATE_CHECK_WEBHOOK_OPS_URL_FILE": "/nowhere",
        "UPDATE_CHECK_WEBHOOK_OPS_SECRET": "whsec_" + "AAAA" * 8,
        "UPDATE_CHECK_SINKS": "email,webhook",
        "UPDATE_CHECK_URL": "s3cret",
        "UPDATE_CHECK_INTERVAL": "10s",
        "UPDATE_CHECK_JITTER": "10s",
    }
    assert [problem.split(" ")[0] for problem in machine.problems(wrong)] == [
        "UPDATE_CHECK_WEBHOOK_OPS_URL_FILE",
        "UPDATE_CHECK_URL",
        "SMTP_SERVER",
        "UPDATE_CHECK_WEBHOOK_URL",
    ]
