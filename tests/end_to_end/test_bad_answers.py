"""Invalid answers of the update server: exit code 1 and one sentence; nothing is cancelled or sent."""

import pytest

from end_to_end.world import World
from simulators.http_server import Answer, Reply, truncated

GOOD = Reply.json({"updatesAvailable": []})


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        pytest.param(Reply(200, b"<html>sorry</html>"), "is not usable JSON: it begins with '<html>", id="not JSON"),
        pytest.param(Reply.json([]), "the update server's answer: expected an object, got []", id="a list"),
        pytest.param(truncated(GOOD, 5), "ended the connection before a complete answer in HTTP", id="truncated"),
        pytest.param(Reply(200, b" " * 5_000_000), "is longer than 1,048,576 bytes", id="5 MB"),
        pytest.param(Reply.json({"updatesAvailable": [17, None, []]}), "updatesAvailable", id="no entry can be read"),
        pytest.param(Reply(500, GOOD.body), "500", id="a server error"),
    ],
)
def test_invalid_answer_fails_the_check(mail_world: World, answer: Answer, sentence: str) -> None:
    """Exit code 1, one sentence; nothing is cancelled or sent. tests/adversary and tests/domain have more answers."""
    mail_world.smtp.replies["END"] = "451 4.3.0 later"
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    mail_world.update_server.fail(answer)
    finished = mail_world.run("check")
    (line,) = finished.events("check.failed")
    assert (finished.code, sentence in line["detail"], sentence in finished.out) == (1, True, True), finished.out
    assert (line["planned"], line["cancelled"]) == (0, 0)
    assert mail_world.rows("SELECT identity, state FROM delivery") == [("update/4.5.20/plain", "pending")]
    assert mail_world.mails == []


def test_bad_entries_do_not_hide_the_good_ones(mail_world: World) -> None:
    """Line breaks, foreign schemes, oversized and wrongly typed fields are named by path; valid entries are sent."""
    entries = [
        {"version": "4.5.20\r\nBcc: everybody@social.example", "releaseNotes": "https://github.com/a"},
        {"version": "9" * 100_000 + ".0.0"},
        {"version": ["4.5.20"]},
        {"version": "4.5.21", "releaseNotes": "javascript:alert(1)", "type": "<b>", "endOfSupport": "soon"},
        {"version": "4.5.22", "releaseNotes": "https://github.com/x\r\nBcc: a@b", "urgent": "yes"},
        {"version": "4.5.23", "releaseNotes": "https://evil.example/notes", "urgent": False},
        {"version": "4.5.24", "releaseNotes": "https://github.com/" + "x" * 2_000},
    ]
    mail_world.update_server.fail(Reply.json({"updatesAvailable": entries}))
    finished = mail_world.check()
    assert finished.result == (0, 1, 1, 0, 0)
    assert {update["version"] for update in finished.json["updates"]} == {"4.5.21", "4.5.22", "4.5.23", "4.5.24"}
    details = " ".join(line["detail"] for line in finished.events("check.degraded"))
    paths = ("[0].version", "[1].version", "[2]", "[3].releaseNotes", "[3].type", "[3].endOfSupport")
    for path in (*paths, "[4].releaseNotes", "[4].urgent", "[6].releaseNotes"):
        assert f"updatesAvailable{path} " in details
    (mail,) = mail_world.mails
    assert mail.message["Subject"] == "URGENT [social.example] install Mastodon 4.5.22 (you run 4.5.19)"
    assert [mail.message["Bcc"], mail.message.get_all("To")] == [None, ["ops@social.example"]]
    assert "javascript" not in mail_world.texts[0]
    assert 'href="https://evil' not in mail_world.texts[0]
    assert "https://evil.example/notes" in mail_world.texts[0]


def test_flood_of_releases_is_a_failed_check(mail_world: World) -> None:
    """An update server that lists more new releases than Mastodon publishes has no mail sent, and no ledger grow."""
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    size = mail_world.ledger.stat().st_size
    for flood in range(5):
        releases = [{"version": f"4.6.{flood * 1000 + number}", "urgent": True} for number in range(1000)]
        mail_world.update_server.fail(Reply.json({"updatesAvailable": releases}))
        finished = mail_world.check()
        assert finished.result == (1, 0, 0, 0, 0)
        assert "1000 releases that it never listed before" in finished.err
    assert mail_world.ledger.stat().st_size == size
    assert len(mail_world.mails) == 1
