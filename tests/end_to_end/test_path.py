"""The path of one check: observed, planned, stored, sent by mail, webhook and log."""

import json
import ssl
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from end_to_end.world import NOTES, World
from simulators.http_server import HttpServer, Reply
from simulators.smtp_server import SmtpServer
from simulators.update_server import UpdateServer

FIRST_SECRET = "whsec_bGF1Z2h0ZXItaW4tdGhlLWRhcmstMTIzNDU2"
SECOND_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtb2Ytb3Vycy14eXo="


def publish(server: UpdateServer) -> None:
    """Let an urgent patch and a new minor version be out."""
    server.publish("4.5.20", urgent=True, end_of_support="2099-02-20")
    server.publish("4.7.6", type="minor")
    server.set_current_end("2099-02-20")


def test_one_check_notifies_every_recipient(world: World) -> None:
    """One process, from the question to mail, webhook and log, which names no address."""
    publish(world.update_server)
    finished = world.check()
    assert (finished.result, world.notified) == ((0, 3, 3, 0, 0), (1, 1))
    assert world.update_server.asked == ["4.5.19"]
    notices = finished.events("notice.update.available")
    assert [line["versions"] for line in notices] == [["4.5.20", "4.7.6"]]
    assert sorted(
        (line["sink"] for line in finished.events("delivery.sent")), key=["log", "email", "webhook"].index
    ) == ["log", "email", "webhook"]
    assert "ops@" not in finished.err


def test_json_is_the_contract(world: World) -> None:
    """`check --json` prints these keys with these values, and no others."""
    publish(world.update_server)
    common = {"release_notes": f"{NOTES}4.5.20", "end_of_support": "2099-02-20", "branch": "4.5", "new": True}
    patch = {"version": "4.5.20", "type": "patch", "urgent": True, **common}
    common = {"release_notes": f"{NOTES}4.7.6", "end_of_support": None, "branch": "4.7", "new": True}
    minor = {"version": "4.7.6", "type": "minor", "urgent": False, **common}
    expected = {
        "installed_version": "4.5.19",
        "queried_version": "4.5.19",
        "updates": [patch, minor],
        "support": {"branch": "4.5", "end_of_support": "2099-02-20", "stage": None},
        "planned": 3,
        "sent": 3,
        "deferred": 0,
        "failed": 0,
    }
    assert world.check().json == expected
    known = [patch | {"new": False}, minor | {"new": False}]
    assert expected | {"updates": known, "planned": 0, "sent": 0} == world.check().json


def test_the_mail(world: World) -> None:
    """The mail is plain text and HTML, one to each recipient; sinks/test_mime.py has its headers."""
    publish(world.update_server)
    world.set(
        UPDATE_CHECK_RECIPIENTS="ops@social.example, second@social.example", SMTP_FROM_ADDRESS="M <m@social.example>"
    )
    world.check()
    assert {(mail.recipient, mail.message["To"]) for mail in world.mails} == {
        ("ops@social.example", "ops@social.example"),
        ("second@social.example", "second@social.example"),
    }
    mail = world.mails[0].message
    key = mail["X-Update-Check-ID"]
    headers = (mail["From"], mail["Message-ID"], mail["Importance"])
    assert headers == ("M <m@social.example>", f"<{key}@social.example>", "high")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    for part in mail.iter_parts():
        content = part.get_content().replace("\N{NO-BREAK SPACE}", " ")  # dates do not tear at a line's end
        assert all(said in content for said in ("4.5.20", "4.7.6", "20 February 2099", "no need", key)), content
        assert "https://social.example/admin/software_updates" in content


def test_every_attempt_has_the_same_ids(world: World) -> None:
    """A deferred message is repeated as the same mail and the same call."""
    publish(world.update_server)
    answers = [Reply(503), Reply(204)]
    world.answer_hook = lambda _: answers.pop(0)
    world.smtp.replies["END"] = "451 4.3.0 later"
    first = world.check()
    assert first.result == (75, 3, 1, 2, 0)
    world.smtp.replies.clear()
    world.let_pass(minutes=10)
    assert world.check().result == (0, 0, 2, 0, 0)
    (deferred,) = [line for line in first.events("delivery.deferred") if line["sink"] == "email"]
    assert deferred["message_id"] == world.mails[0].message["X-Update-Check-ID"]
    refused, accepted = world.calls
    assert refused.headers["webhook-id"] == accepted.headers["webhook-id"]
    assert json.loads(refused.body)["data"] == json.loads(accepted.body)["data"]


def test_webhooks_have_their_own_secrets(world: World) -> None:
    """Each webhook is signed with its own secret; without one it is unsigned."""
    publish(world.update_server)
    world.set(
        UPDATE_CHECK_WEBHOOK_SECRET=FIRST_SECRET,
        UPDATE_CHECK_WEBHOOK_OPS_URL=world.receiver.url("/ops"),
        UPDATE_CHECK_WEBHOOK_OPS_SECRET=SECOND_SECRET,
        UPDATE_CHECK_WEBHOOK_OPEN_URL=world.receiver.url("/open"),
    )
    assert world.check().result == (0, 5, 5, 0, 0)
    calls = {call.path: call for call in world.calls}
    verified = Webhook(FIRST_SECRET).verify(calls["/hook"].body, dict(calls["/hook"].headers))
    assert Webhook(SECOND_SECRET).verify(calls["/ops"].body, dict(calls["/ops"].headers))
    assert "webhook-signature" not in calls["/open"].headers
    assert (verified["type"], verified["data"]["instance"]) == ("update.available", "social.example")
    assert [update["version"] for update in verified["data"]["updates"]] == ["4.5.20", "4.7.6"]
    assert verified["data"]["route"] == ["4.5.20", "4.6.x", "4.7.6"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_over_tls(world: World, server_tls: ssl.SSLContext, authority_file: Path) -> None:
    """The update server, the mail server and the webhook over TLS, by an authority that SSL_CERT_FILE names."""
    hooks = HttpServer(lambda _: Reply(204), tls=server_tls)
    with UpdateServer(tls=server_tls) as update_server, hooks:
        publish(update_server)
        world.use_mail_server(SmtpServer(tls=server_tls, users={"mastodon": "hunter2-hunter2"}))
        world.set(
            SSL_CERT_FILE=str(authority_file),
            UPDATE_CHECK_URL=update_server.url,
            UPDATE_CHECK_WEBHOOK_URL=hooks.url("/hook"),
            SMTP_LOGIN="mastodon",
            SMTP_PASSWORD="hunter2-hunter2",
        )
        assert world.check().result == (0, 3, 3, 0, 0)
    assert len(hooks.requests) == 1
    assert [(mail.encrypted, mail.login) for mail in world.mails] == [(True, "mastodon")]


@pytest.mark.parametrize(
    ("installed", "asked", "shown"),
    [
        ("4.5.19+glitch", "version=4.5.19", "4.5.19+glitch"),
        ("v4.5.19", "version=4.5.19", "4.5.19"),
        ("4.3.0-beta2+my-fork", "version=4.3.0-beta2", "4.3.0-beta2+my-fork"),
        ("4.5.19-fork 06f906acac", "version=4.5.19-fork%2006f906acac", "4.5.19-fork_06f906acac"),
        ("4.5.19&x=/?#%", "version=4.5.19%26x%3D%2F%3F%23%25", "4.5.19_x_"),
    ],
)
def test_the_question(world: World, installed: str, asked: str, shown: str) -> None:
    """The update server is asked about the version as the contract says, by a client that does not name the server."""
    world.only("log")
    world.set(UPDATE_CHECK_MASTODON_VERSION=installed)
    finished = world.check()
    (question,) = world.update_server.http.requests
    assert finished.code == 0
    assert question.target.partition("?")[2] == asked
    assert finished.json["installed_version"] == shown
    assert question.headers["user-agent"].startswith("mastodon-update-check/")
    assert "social.example" not in str(question)
    assert "gzip" not in question.headers.get("accept-encoding", "")
