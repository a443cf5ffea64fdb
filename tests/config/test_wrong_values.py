"""Values that cannot be used, and unknown variables: the sentence names variable, place, expectation and finding."""

import pytest

from config.machine import Machine
from mastodon_update_check.config.variables import is_secret
from mastodon_update_check.domain.text import clean

SIGNING = "whsec_ and the base64 of 24 to 64 bytes; several secrets are separated by spaces"
SENDMAIL = (
    "smtp (to use this host's mail server, set SMTP_DELIVERY_METHOD=smtp, SMTP_SERVER=localhost and SMTP_PORT=25 in "
    "our own file)"
)

URL = "a URL that begins with http:// or https:// and a host, without spaces"
MAILBOX = "a mail address: admin@social.example or Name <admin@social.example>"
VERSION = "a version of Mastodon that starts with three numbers, such as 4.5.9, in at most 200 ASCII characters"
LONG = "at least 5 minutes (1 second for an update server on loopback)"
DOMAIN = "a domain name such as social.example, without scheme, port and path"
PREFERENCE = "none, critical, patch or all"
LISTS = "UPDATE_CHECK_RECIPIENTS UPDATE_CHECK_OPERATOR"
PATHS = "UPDATE_CHECK_LEDGER UPDATE_CHECK_MASTODON_ROOT UPDATE_CHECK_METRICS_FILE UPDATE_CHECK_PAGE_FILE SMTP_CA_FILE"
TEXTS = "SMTP_FROM_ADDRESS no_proxy SMTP_ENABLE_STARTTLS SMTP_TLS DB_HOST MASTODON_VERSION_PRERELEASE"
SECRETS = "UPDATE_CHECK_APPRISE_URL SMTP_LOGIN SMTP_PASSWORD DATABASE_URL UPDATE_CHECK_DATABASE_URL DB_PASS"
BAD_URLS = [
    *("ftp://s3cret.example", "https://", "https://:443/s3cret", "https://s3cret.example:0"),
    *("https://s3cret.example:65536", "https://[s3cret", "https://s3cret.example/a b", "https://1.2.3.256/x"),
    *("s3cret.example/x", "https://s3cret.example/\nx"),
    *("https://[v1.s3cret]/", "https://\uff53ocial.example/s3cret"),
]
BAD_DOMAINS = ["https://social.example", "social.example:443", "social..example", "-social.example", "s ä.example"]
BAD_MAILBOXES = [
    *("ops", "Name <a:b@b.example>", "Name <ops>", "a@b@c.example", "a b@c.example", "a,b@c.example", "@c.example"),
]

# Expected; the variables; their values. What follows "got" is in the first column where it is not the value.
ROWS: list[tuple[str, str, list[str]]] = [
    (URL, "UPDATE_CHECK_URL", BAD_URLS),
    (URL, "UPDATE_CHECK_INSTANCE_URL UPDATE_CHECK_WEBHOOK_URL UPDATE_CHECK_HEARTBEAT_URL", ["social.example/s3cret"]),
    (URL, "http_proxy https_proxy", ["socks5h://s3cret.example", "s3cret example:3128"]),
    (URL, "UPDATE_CHECK_RELEASE_DETAILS", ["ftp://s3cret.example/{version}/"]),
    ("a URL of at most 2000 characters", "UPDATE_CHECK_URL", ["https://s3cret.example/".ljust(2001, "x")]),
    ("off, github or a URL with {version}", "UPDATE_CHECK_RELEASE_DETAILS", ["https://git.example/"]),
    (
        "a duration such as 90s, 30m, 1h or 2d, or a number of seconds",
        "UPDATE_CHECK_INTERVAL UPDATE_CHECK_JITTER",
        ["soon", "-5m", "1.5h", "30 m", "\u0663\u0660m", "9" * 5000],
    ),
    ("at most 366 days", "UPDATE_CHECK_INTERVAL", ["367d", "999999999d"]),
    (LONG, "UPDATE_CHECK_INTERVAL", ["299s", "0"]),
    (VERSION, "UPDATE_CHECK_MASTODON_VERSION", ["latest", "4.5"]),
    ("at least one entry, got none", f"{LISTS} UPDATE_CHECK_SINKS", [","]),
    (
        "devops without a preference, because each DevOps user has one in Mastodon, got one in entry 1",
        "UPDATE_CHECK_RECIPIENTS",
        ["devops=all"],
    ),
    (f'{PREFERENCE} behind the = of entry 2, got "urgent"', "UPDATE_CHECK_RECIPIENTS", ["devops, a@b.example=urgent"]),
    (
        "a mail address before the = of each entry, got nothing there in entry 1",
        "UPDATE_CHECK_RECIPIENTS",
        ["=urgent", " = all,devops"],
    ),
    ("entries separated by commas, got a semicolon in entry 1: write a comma there", LISTS, ["devops; you@b.example"]),
    (
        "entries separated by commas, got a space in entry 2: write a comma there",
        "UPDATE_CHECK_RECIPIENTS",
        ["devops, a@b.example c@d.example"],
    ),
    (
        "in entry 1 a mail address such as admin@social.example, without a name",
        LISTS,
        ["ops", 'a"b@social.example', "a(b)@social.example", "s3c(ret@b.example"],
    ),
    ("each address once, got one of them twice", LISTS, ["a@b.example, A@B.example"]),
    ("a path or a postgresql:// URL, got a URL of another kind", "UPDATE_CHECK_LEDGER", ["mysql://s3cret"]),
    (PREFERENCE, "UPDATE_CHECK_LOG_PREFERENCE UPDATE_CHECK_APPRISE_PREFERENCE", ["urgent"]),
    ("none, urgent or all", "UPDATE_CHECK_REMINDERS UPDATE_CHECK_CLOSURE", ["critical"]),
    ("source, docker, yunohost, nixos or fork", "UPDATE_CHECK_INSTALL_KIND", ["podman"]),
    ("debug, info, warning, error or critical", "UPDATE_CHECK_LOG_LEVEL", ["loud"]),
    ("auto, console or json", "UPDATE_CHECK_LOG_FORMAT", ["xml"]),
    (DOMAIN, "LOCAL_DOMAIN WEB_DOMAIN", [*BAD_DOMAINS, ".".join(["social"] * 40)]),
    ("a domain name or an IP address, without scheme and port", "SMTP_SERVER SMTP_DOMAIN", ["mail:25", "ma il"]),
    ("a port number (1-65535)", "SMTP_PORT DB_PORT", ["abc", "0", "65536", "²", "9" * 5000]),
    (MAILBOX, "SMTP_FROM_ADDRESS SMTP_REPLY_TO SMTP_RETURN_PATH", BAD_MAILBOXES),
    (MAILBOX, "SMTP_FROM_ADDRESS", ["Name <a@b.example", "Na>me <a@b.example>"]),
    ("a mail address with only ASCII before the @", "SMTP_FROM_ADDRESS", ["Name <é@b.example>"]),
    ("plain, login, cram_md5 or none", "SMTP_AUTH_METHOD", ["xoauth2"]),
    ("none, peer, client_once or fail_if_no_peer_cert", "SMTP_OPENSSL_VERIFY_MODE", ["maybe"]),
    (SENDMAIL, "SMTP_DELIVERY_METHOD", ["sendmail", "file"]),
    ("disable, allow, prefer, require, verify-ca or verify-full", "DB_SSLMODE", ["always"]),
    ("one line of text, got control characters", f"{PATHS} {TEXTS}", ["/s3c\nret", "/s3c\x1bret"]),
    ("text, got a NUL character", SECRETS, ["tgram://s3cret\0"]),
]
CELLS = [(name, value, expected) for expected, names, values in ROWS for name in names.split() for value in values]


def sentence(name: str, value: str, expected: str) -> str:
    """Return the rest of the problem, after the place."""
    if ", got " in expected:
        return f"expected {expected}."
    got = "a value that is not shown" if is_secret(name) else f'"{clean(value, 60)}"'
    return f"expected {expected}, got {got}."


@pytest.mark.parametrize(("name", "value", "expected"), CELLS)
def test_wrong_value(machine: Machine, name: str, value: str, expected: str) -> None:
    """One wrong variable is one sentence, on one line; a secret does not appear in it."""
    [problem] = machine.problems({name: value})
    assert problem == f"{name} in the environment: {sentence(name, value, expected)}"
    assert problem.isprintable()
    assert not is_secret(name) or value not in problem


@pytest.mark.parametrize("url", ["https://u:s3cret@[updates.example", "ftp://u:s3cret@updates.example"])
def test_password_of_a_url_is_not_shown(machine: Machine, url: str) -> None:
    """A URL is shown unless it may hold a password."""
    [problem] = machine.problems({"UPDATE_CHECK_URL": url})
    assert problem.endswith("got a value that is not shown.")


@pytest.mark.parametrize(
    "secret",
    [
        *("s3cret", "whsec_s3cret", "AAAA" * 8, f"whsec_{'AAAA' * 8} s3cret"),
        *(f"whsec_{'AAAA' * 7}A", f"whsec_{'AAAA' * 7}é", f"whsec_{'AAAA' * 22}"),
    ],
)
def test_wrong_webhook_secret(machine: Machine, secret: str) -> None:
    """A signing secret has the form of the specification, and so has each of several."""
    environ = {"UPDATE_CHECK_WEBHOOK_URL": "https://hooks.example", "UPDATE_CHECK_WEBHOOK_SECRET": secret}
    place = "UPDATE_CHECK_WEBHOOK_SECRET in the environment"
    assert machine.problems(environ) == [f"{place}: expected {SIGNING}, got a value that is not shown."]


@pytest.mark.parametrize(
    ("key", "expected"),
    [("PREFERENCE", "none, critical, patch or all"), ("NAMES", "true, yes, on, 1, false, no, off or 0")],
)
def test_wrong_webhook_options(machine: Machine, key: str, expected: str) -> None:
    """The other variables of a webhook are checked too."""
    environ = {"UPDATE_CHECK_WEBHOOK_OPS_URL": "https://hooks.example", f"UPDATE_CHECK_WEBHOOK_OPS_{key}": "maybe"}
    assert machine.problems(environ) == [
        f'UPDATE_CHECK_WEBHOOK_OPS_{key} in the environment: expected {expected}, got "maybe".'
    ]


def test_all_problems_together(machine: Machine) -> None:
    """An administrator sees everything at once; Mastodon's files add no problem."""
    machine.mastodon("DB_PORT=$(id)\nSMTP_PORT=none")
    machine.own("UPDATE_CHECK_JITER=1\nSMTP_PASSWORD_FILE=/nowhere\nUPDATE_CHECK_WEBHOOK_OPS_SECRET=s3cret\n")
    problems = machine.problems({"UPDATE_CHECK_SINKS": "email, webhook, nfty", "UPDATE_CHECK_INTERVAL": "1s"})
    assert [problem.partition(": ")[0] for problem in problems] == [
        "SMTP_PASSWORD_FILE in config.env, line 2",
        "UPDATE_CHECK_INTERVAL in the environment",
        "UPDATE_CHECK_WEBHOOK_OPS_SECRET in config.env, line 3",
        "UPDATE_CHECK_WEBHOOK_OPS_SECRET in config.env, line 3",
        "UPDATE_CHECK_JITER in config.env, line 1",
        "UPDATE_CHECK_SINKS in the environment",
        "UPDATE_CHECK_SINKS in the environment",
    ]


def test_wrong_variable_does_not_count_as_missing(machine: Machine) -> None:
    """A variable that is set, but wrong, does not count as missing as well."""
    wrong = {
        "SMTP_SERVER": "s3 cret",
        "UPDATE_CHECK_WEBHOOK_URL": "s3cret",
        "UPDATE_CHECK_WEBHOOK_OPS_URL_FILE": "/nowhere",
        "UPDATE_CHECK_WEBHOOK_OPS_SECRET": "whsec_" + "AAAA" * 8,
        "UPDATE_CHECK_SINKS": "email,webhook",
        "UPDATE_CHECK_URL": "s3cret",
        "UPDATE_CHECK_INTERVAL": "10s",
    }
    assert [problem.split(" ")[0] for problem in machine.problems(wrong)] == [
        "UPDATE_CHECK_WEBHOOK_OPS_URL_FILE",
        "UPDATE_CHECK_URL",
        "SMTP_SERVER",
        "UPDATE_CHECK_WEBHOOK_URL",
    ]


UNKNOWN = [
    ("UPDATE_CHECK_INTERVALL", "did you mean UPDATE_CHECK_INTERVAL?"),
    ("UPDATE_CHECK_HEARTBEAT", "did you mean UPDATE_CHECK_HEARTBEAT_URL?"),
    ("UPDATE_CHECK_WEBHOOK_SECERT", "did you mean UPDATE_CHECK_WEBHOOK_SECRET?"),
    ("UPDATE_CHECK_WEBHOOK_OPS_SECERT", "did you mean UPDATE_CHECK_WEBHOOK_OPS_SECRET?"),
    ("UPDATE_CHECK_WEBHOOK_URL_SECRET", "did you mean UPDATE_CHECK_WEBHOOK_SECRET?"),
    ("UPDATE_CHECK_WEBHOOK_ops_URL", "did you mean UPDATE_CHECK_WEBHOOK_OPS_URL?"),
    ("UPDATE_CHECK_Q", "remove it, or install the package of the sink that it belongs to"),
]


@pytest.mark.parametrize(("name", "hint"), UNKNOWN)
def test_unknown_variables(machine: Machine, name: str, hint: str) -> None:
    """An unknown name is a problem, in the environment and in our own file, with the nearest one."""
    hook = {"UPDATE_CHECK_WEBHOOK_OPS_URL": "https://hooks.example/T0/s3cret"}
    stop = "" if hint.endswith("?") else "."
    assert machine.problems(hook | {name: "s3cret"}) == [f"{name} in the environment: unknown variable: {hint}{stop}"]
    machine.own(f"\n{name}=s3cret")
    assert machine.problems(hook) == [f"{name} in config.env, line 2: unknown variable: {hint}{stop}"]


def test_no_variables_of_the_email_sink(machine: Machine) -> None:
    """Mail is set up as in Mastodon, and each recipient has a preference."""
    assert machine.problems({"UPDATE_CHECK_EMAIL_PREFERENCE": "all"}) == [
        (
            "UPDATE_CHECK_EMAIL_PREFERENCE in the environment: unknown variable: mail is configured with SMTP_SERVER "
            "and Mastodon's other SMTP_ variables."
        )
    ]


def test_variables_of_forks(machine: Machine) -> None:
    """Variables of a fork of Mastodon and of other programs are ignored."""
    environ = {"UPDATE_CHECK_SOURCE": "kmyblue", "update_check_url": "x", "UPDATE_CHECKER": "x"}
    assert [sink.name for sink in machine.own("UPDATE_CHECK_SOURCE=kmyblue\nX=y").load(environ).sinks] == ["log"]


def test_names_are_cleaned(machine: Machine) -> None:
    """The name of a variable is outside text as well."""
    [problem] = machine.problems({"UPDATE_CHECK_\x1b[31m" + "X" * 500: "x"})
    assert problem.isprintable()
    assert len(problem) < 400
