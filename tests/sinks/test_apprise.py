"""Apprise: the recipes of README against services that answer as theirs do, and what can go wrong on the way.

The services' names lead, through a proxy, to one server with a certificate for all of them.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from mastodon_update_check.errors import (
    PermanentDeliveryError,
    SettingsError,
    TransientDeliveryError,
)
from mastodon_update_check.messages.message import MessageType
from mastodon_update_check.sinks.apprise import create
from simulators.http_server import Answer, HttpServer, Reply, Request, Tunnel, hang
from sinks.examples import MESSAGE

ROOT = Path(__file__).parents[2]
BOT = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
HOSTS = ("ntfy.example", "matrix.example", "mattermost.example", "hooks.slack.com", "discord.com", "api.telegram.org")
RECIPES = {
    "ntfy": ("ntfys://tk_s3cretT0ken@ntfy.example/mastodon", "ntfy.example"),
    "Matrix": ("matrixs://s3cretT0ken@matrix.example/!room:matrix.example", "matrix.example"),
    "Mattermost": ("mmosts://mattermost.example/3ccdd113474722377935511fc85d3dd4", "mattermost.example"),
    "Slack": (f"slack://{SLACK}/#admins", "hooks.slack.com"),
    "Discord": ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "discord.com"),
    "Telegram": (f"tgram://{BOT}/12315544", "api.telegram.org"),
}


class Internet:
    """A server that stands, through the proxy, for every host."""

    def __init__(self, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(context)
        trusted = directory / "authority.pem"
        authority.cert_pem.write_to_path(str(trusted))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        self.answer: Answer | None = None
        self.services = HttpServer(self._serve, tls=context)
        self.proxy = HttpServer(lambda _: Tunnel(self.services.port))

    def _serve(self, request: Request) -> Answer:
        if self.answer is not None:
            return self.answer
        if request.path.startswith("/.well-known/matrix/"):
            return Reply.json({"m.homeserver": {"base_url": "https://matrix.example"}})
        if request.headers["host"] == "hooks.slack.com":
            return Reply(200, b"ok")
        return Reply.json({"ok": True, "event_id": "$1", "user_id": "@bot:matrix.example", "joined_rooms": []})

    @property
    def options(self) -> Mapping[str, str]:
        return {"http_proxy": f"http://127.0.0.1:{self.proxy.port}"}  # which serves https too


@pytest.fixture
def internet(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Internet]:
    """Return what answers for every service."""
    net = Internet(authority, monkeypatch, tmp_path)
    with net.services, net.proxy:
        yield net


@pytest.mark.parametrize("service", RECIPES)
def test_recipe(internet: Internet, service: str) -> None:
    """The message's subject and text arrive at the service that the URL of docs/SINKS.md names."""
    url, host = RECIPES[service]
    create({"url": url, **internet.options}).send(MESSAGE)
    asked = internet.services.requests
    assert {host} == {request.headers["host"] for request in asked}
    body = asked[-1].body.decode()
    assert MESSAGE.subject in body
    assert "not marked urgent" in body
    assert f"{service:<10}  {url}\n" in (ROOT / "docs" / "SINKS.md").read_text()


def test_urgency_is_shown() -> None:
    """Urgent messages are marked as failures, which services show in red; good news is marked as such."""
    with HttpServer(lambda _: Reply(200)) as server:
        sink = create({"url": f"json://127.0.0.1:{server.port}/hook"})
        for message in (
            MESSAGE,
            replace(MESSAGE, urgent=True),
            replace(MESSAGE, type=MessageType.UPDATE_INSTALLED),
        ):
            sink.send(message)
    assert [json.loads(request.body)["type"] for request in server.requests] == ["info", "failure", "success"]


def test_long_text_is_cut_to_the_limit_of_the_service(internet: Internet) -> None:
    """Discord takes 2,000 characters: a longer message arrives cut, and once."""
    create({"url": RECIPES["Discord"][0], **internet.options}).send(replace(MESSAGE, text="word " * 2000))
    [request] = internet.services.requests
    assert 1000 < len(request.body) < 3000


def test_refusal_is_transient_and_keeps_the_secret(internet: Internet) -> None:
    """Apprise cannot say whether a failure lasts; what it says is shown without the URL's secrets."""
    internet.answer = Reply(403, b"no s3cretT0ken here")
    with pytest.raises(TransientDeliveryError) as caught:
        create({"url": RECIPES["ntfy"][0], **internet.options}).send(MESSAGE)
    assert caught.value.sink_wide
    assert caught.value.reply.startswith("not accepted: ")
    assert "s3cretT0ken" not in caught.value.reply


def test_certificate_is_checked(internet: Internet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service whose certificate the system does not trust gets nothing."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "another.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "another.pem"))
    with pytest.raises(TransientDeliveryError):
        create({"url": RECIPES["ntfy"][0], **internet.options}).send(MESSAGE)
    assert internet.services.requests == []


def test_process_that_takes_too_long_is_ended() -> None:
    """A service that never answers costs no more than the time allowed."""
    with (
        HttpServer(lambda _: hang()) as server,
        pytest.raises(TransientDeliveryError, match="longer than 3 s"),
    ):
        create({"url": f"json://127.0.0.1:{server.port}/s3cret"}, timedelta(seconds=3)).send(MESSAGE)


def test_url_that_apprise_does_not_understand() -> None:
    """A retry would not help."""
    with pytest.raises(PermanentDeliveryError, match="does not understand UPDATE_CHECK_APPRISE_URL"):
        create({"url": "nonsense://s3cret"}).send(MESSAGE)


def test_url_is_in_no_argument_list() -> None:
    """Other users of the machine read arguments, and this user's processes the environment."""
    seen: list[str] = []

    def look(_: Request) -> Answer:
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    text = (process / name).read_text(errors="replace")
                except OSError:  # gone, or another user's
                    continue
                if "bin/apprise" in (process / "cmdline").read_text(errors="replace"):
                    seen.append(text)
        return Reply(200)

    with HttpServer(look) as server:
        create({"url": f"json://127.0.0.1:{server.port}/s3cret"}).send(MESSAGE)
    assert any("bin/apprise" in text for text in seen)
    assert not any("s3cret" in text for text in seen)


def test_missing_url_and_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are wrong settings, and the error names the remedy."""
    with pytest.raises(SettingsError, match="needs UPDATE_CHECK_APPRISE_URL"):
        create({})
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setattr("os.defpath", "/nowhere")
    with pytest.raises(SettingsError, match="apt install apprise"):
        create({"url": "json://127.0.0.1/"})


def test_process_that_ends_without_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Apprise that cannot be started is transient; the reason is shown."""
    (tmp_path / "apprise").write_text("#!/bin/sh\necho half installed s3cretT0ken >&2; exit 1\n")
    (tmp_path / "apprise").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    sink = create({"url": "json://127.0.0.1/s3cretT0ken"})
    with pytest.raises(TransientDeliveryError, match="not accepted: half installed …"):
        sink.send(MESSAGE)
