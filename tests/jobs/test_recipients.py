"""The recipients of a check whose database does not answer."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.examples import user
from mastodon_update_check.config import load_settings
from mastodon_update_check.domain.staff import DatabaseAnswer, StaffReason, StaffVerdict
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.jobs.recipients import find_people

SILENT = DatabaseAnswer(error=CheckError(Cause.DATABASE, "no answer"))
HOOK = {"UPDATE_CHECK_WEBHOOK_URL": "https://hooks.example/x", "UPDATE_CHECK_WEBHOOK_NAMES": "true"}


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """Return what is set on a server that mails its DevOps users."""
    return {
        "HOME": str(tmp_path),
        "LOCAL_DOMAIN": "social.example",
        "SMTP_SERVER": "mail.example",
        "UPDATE_CHECK_CONFIG": "/dev/null",
        "UPDATE_CHECK_MASTODON_ROOT": str(tmp_path),
    }


def test_webhook_without_names(environment: Mapping[str, str]) -> None:
    """A webhook that was to name the DevOps users is a warning; the check works."""
    found = find_people(load_settings({**environment, **HOOK, "UPDATE_CHECK_RECIPIENTS": "a@b.example"}), (), SILENT)
    assert (found.warnings, found.error) == (("webhooks do not name the DevOps users: no answer",), None)


def test_no_answer_is_not_an_empty_one(environment: Mapping[str, str]) -> None:
    """The users of the last good answer are notified, and of none it is said that they are gone."""
    settings, ann = load_settings(environment), user(1)
    good = DatabaseAnswer(verdicts=(StaffVerdict(user=ann, reason=StaffReason.VIEWS_DEVOPS),), through="a test")

    for found, unasked in ((find_people(settings, (ann,), SILENT), ["email"]), (find_people(settings, (), good), [])):
        assert [one.address for one in found.recipients if one.sink == "email"] == [ann.address]
        assert [*found.unasked_sinks] == unasked
