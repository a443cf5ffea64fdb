"""The instance when `LOCAL_DOMAIN` is not set."""

from pathlib import Path

import pytest

from mastodon_update_check.config import load_settings
from mastodon_update_check.startup import with_known_instance

WEB = {"WEB_DOMAIN": "www.social.example"}
OFF = {"UPDATE_CHECK_INSTANCE_URL": ""}


@pytest.mark.parametrize("content", [None, b"", b"not a database"])
def test_ledger_without_an_instance(tmp_path: Path, content: bytes | None) -> None:
    """A ledger that is missing or damaged says nothing; the problem is reported where the ledger is used."""
    ledger = tmp_path / "ledger.sqlite3"
    if content is not None:
        ledger.write_bytes(content)
    settings = load_settings({"HOME": str(tmp_path), "UPDATE_CHECK_LEDGER": str(ledger)}, tmp_path / "none")
    assert with_known_instance(settings) is settings


@pytest.mark.parametrize(
    ("environ", "web_domain", "url"),
    [
        ({}, "social.example", "https://social.example"),
        (WEB, "www.social.example", "https://www.social.example"),
        (OFF, "social.example", None),
    ],
)
def test_settings_that_depend_on_the_instance(
    tmp_path: Path, environ: dict[str, str], web_domain: str, url: str | None
) -> None:
    """Other variables keep their values, or follow the instance."""
    settings = load_settings({"HOME": str(tmp_path), **environ}, tmp_path / "none").for_instance("social.example")
    assert (settings.instance, settings.web_domain, settings.instance_url) == ("social.example", web_domain, url)
    assert not settings.instance_is_assumed
