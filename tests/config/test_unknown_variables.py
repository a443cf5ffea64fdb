"""Variables that this program does not know: an error with the nearest name, unless they belong to others."""

import pytest

from config.machine import Machine

HOOK = "https://hooks.example/T0/s3cret"


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
    hook = {"UPDATE_CHECK_WEBHOOK_OPS_URL": HOOK}
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
