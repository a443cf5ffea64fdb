"""The instance when `LOCAL_DOMAIN` is not set."""

from pathlib import Path

import pytest

from mastodon_update_check.config import load_settings
from mastodon_update_check.startup import with_known_instance


@pytest.mark.parametrize("content", [None, b"", b"not a database"])
def test_ledger_without_an_instance(tmp_path: Path, content: bytes | None) -> None:
    """A ledger that is missing or damaged says nothing; the problem is reported where the ledger is used."""
    ledger = tmp_path / "ledger.sqlite3"
    if content is not None:
        ledger.write_bytes(content)
    settings = load_settings({"HOME": str(tmp_path), "UPDATE_CHECK_LEDGER": str(ledger)}, tmp_path / "none")
    assert with_known_instance(settings) is settings


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("social.example", "https://social.example")),
        ({"WEB_DOMAIN": "www.social.example"}, ("www.social.example", "https://www.social.example")),
        ({"UPDATE_CHECK_INSTANCE_URL": ""}, ("social.example", None)),
    ],
)
def test_settings_that_depend_on_the_instance(
    tmp_path: Path, environ: dict[str, str], expected: tuple[str, str | None]
) -> None:
    """Other variables keep their values, or follow the instance."""
    settings = load_settings({"HOME": str(tmp_path), **environ}, tmp_path / "none").for_instance("social.example")
    assert (settings.web_domain, settings.instance_url) == expected
    assert (settings.instance, settings.instance_is_assumed) == ("social.example", False)
