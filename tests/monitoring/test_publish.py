"""The metrics file, the status page and its JSON form."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from captured_logs import capture_logs
from domain.examples import update
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.monitoring.publish import publish
from mastodon_update_check.monitoring.status import StatusReport
from monitoring.examples import EMPTY_OUTBOX, NEW, NOW, URGENT


def published(directory: Path, report: StatusReport = NEW) -> StatusReport:
    """Publish a report in a directory."""
    metrics, page = directory / "update_check.prom", directory / "index.html"
    report = replace(report, settings=replace(report.settings, metrics_file=metrics, page_file=page))
    assert publish(report) == ()
    return report


def test_files(tmp_path: Path) -> None:
    """Every file is replaced atomically and readable by all, under any umask; no draft stays."""
    (tmp_path / "index.html").write_text("old")
    before = os.umask(0o077)
    try:
        with (tmp_path / "index.html").open() as reader:
            published(tmp_path)
            assert reader.read() == "old"
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    names = ("index.html", "index-reload.html", "index.json", "update_check.prom")
    assert modes == dict.fromkeys(names, 0o644)


def test_nothing_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert publish(NEW) == ()
    assert [*tmp_path.iterdir()] == []


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A warning names the path and the reason; the other files are written."""
    missing = tmp_path / "missing" / "x.prom"
    settings = replace(NEW.settings, metrics_file=missing, page_file=tmp_path / "index.html")
    with capture_logs() as lines:
        assert publish(replace(NEW, settings=settings)) == (f"{missing} cannot be written: no such file or directory",)
    assert [line["event"] for line in lines] == ["publish.failed"]
    assert (tmp_path / "index.html").exists()


def test_page_names_no_people(tmp_path: Path) -> None:
    """Neither the page nor its JSON form has names and addresses, which replies and warnings may hold, or commands."""
    alice = Recipient(sink="email", key="user:1", address="alice@social.example", name="alice")
    known = replace(URGENT, devops=(alice,), warnings=("alice has no address",), detail="<bob@mail.example> refused")
    sink = SinkAccount(
        name="email",
        settings="",
        undelivered=1,
        failing_since=NOW,
        retry_at=None,
        is_stopped=False,
        reply="550 5.1.1 <alice@social.example>: no such user Alice; ask postmaster@mail.example",
        sent_at=None,
    )
    published(tmp_path, replace(NEW, known=known, outbox=replace(EMPTY_OUTBOX, failed=1, sinks=(sink,))))
    status = json.loads((tmp_path / "index.json").read_text())
    assert status["sinks"][0]["reply"] == "550 5.1.1 <…>: no such user …; ask …"
    assert status["warnings"] == ["… has no address"]
    assert status["updates"][0]["version"] == str(update("4.5.20").version)
    for path in tmp_path.iterdir():
        assert [word for word in ("alice", "Alice", "bob", "postmaster", "systemctl") if word in path.read_text()] == []
