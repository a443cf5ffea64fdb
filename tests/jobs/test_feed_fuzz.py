"""One check and its deliveries, over real HTTP, never end in a traceback, with any answer of the update server.

Every text is bounded and fits on a line; an answer that cannot be parsed changes nothing in the ledger.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from domain.test_feed_properties import documents
from jobs.examples import Accepting, check_settings
from mastodon_update_check.app import App
from mastodon_update_check.jobs.check import CheckOptions, CheckReport
from simulators.http_server import Answer, HttpServer, Raw, Reply

LONGEST_SENTENCE = 1_000
LONGEST_TEXT = 100_000
GOOD = Reply.json(
    {
        "updatesAvailable": [
            {
                "version": version,
                "urgent": version == "4.5.20",
                "type": "patch",
                "releaseNotes": f"https://github.com/mastodon/mastodon/releases/tag/v{version}",
                "endOfSupport": "2027-02-20",
            }
            for version in ("4.5.20", "4.6.0-rc.1", "4.7.0")
        ],
        "currentVersion": {"endOfSupport": "2026-12-01"},
    }
).encode()
bytes_of_json = st.sampled_from(
    [b"\x00", b"\xff", b'"', b"{", b"}", b"[", b"]", b",", b"9" * 400, b"\r\n", b"null", b"1e999"]
)
edits = st.lists(
    st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), bytes_of_json | st.binary(max_size=8)), max_size=6
)


def whole_check(answer: Answer) -> tuple[CheckReport, list[str]]:
    """Check, deliver, and check again; return the first report and the texts that were sent."""
    with TemporaryDirectory() as directory, HttpServer(lambda _: answer) as server:
        app = App(check_settings(Path(directory), server.url()))
        sink = Accepting()
        with app.create_ledger() as ledger:
            report = app.run_check(ledger, CheckOptions())
            (worker,) = app.delivery_workers(ledger)
            worker.load_sink = lambda: sink
            worker.deliver_due(ledger)
            assert worker.sent == len(report.plan.messages)
            assert app.run_check(ledger, CheckOptions()).plan.messages == ()
        return report, [text for message in sink.messages for text in (message.subject, message.text, message.html)]


def expect_sentences(report: CheckReport, texts: list[str]) -> None:
    """Assert that each output fits its place."""
    said = [*report.known.warnings, *filter(None, [report.result.error])]
    assert all(0 < len(sentence) <= LONGEST_SENTENCE and sentence.isprintable() for sentence in said)
    assert all(len(text) <= LONGEST_TEXT and "\0" not in text for text in texts)
    if report.result.error:
        assert (report.plan.messages, report.plan.changes) == ((), ())


@given(documents)
def test_any_json(document: object) -> None:
    """Every JSON document is an answer or a failed check with its reason."""
    expect_sentences(*whole_check(Reply.json(document)))


@given(edits)
def test_damaged_answers(changes: list[tuple[int, int, bytes]]) -> None:
    """So is a good answer with bytes changed, lost and put in, in its head and its body."""
    data = GOOD
    for place, lost, put in changes:
        data = data[:place] + put + data[place + lost :]
    expect_sentences(*whole_check(Raw([data])))


def test_the_good_answer_is_good() -> None:
    """The undamaged answer is sent."""
    report, texts = whole_check(Raw([GOOD]))

    assert report.result.error == ""
    assert "4.5.20" in texts[0]
    assert json.dumps(report.known.to_json())
