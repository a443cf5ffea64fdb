"""With a Mastodon on the same host: its tree, its `.env.production`, and the meaning of its variables."""

import pytest

from end_to_end.world import World
from simulators.http_server import HttpServer, Reply
from simulators.mastodon_tree import configured, write_tree


def test_as_installed(world: World) -> None:
    """With nothing but Mastodon's files, the domain, the version, the sender and the mail server are known."""
    world.only("email")
    own = ("LOCAL_DOMAIN", "SMTP_SERVER", "SMTP_PORT", "UPDATE_CHECK_MASTODON_VERSION", "UPDATE_CHECK_SINKS")
    world.set(**dict.fromkeys(own))
    world.update_server.publish("4.5.20")
    write_tree(world.root, configured("4.5.19"))
    (world.root / ".env.production").write_text(f"""# the file of a real server
LOCAL_DOMAIN=social.example
WEB_DOMAIN=web.social.example
SMTP_SERVER=127.0.0.1
SMTP_PORT={world.mail_server.port}
SMTP_FROM_ADDRESS="Social Example <notifications@social.example>"
export SMTP_REPLY_TO=admin@social.example
SMTP_RETURN_PATH=bounces@social.example
SECRET_KEY_BASE=$(rake secret)
VAPID_PRIVATE_KEY='unbalanced
""")
    assert world.check().result == (0, 2, 2, 0, 0)
    (mail,) = world.mails
    headers = ("From", "Reply-To", "Subject")
    assert tuple(mail.message[name] for name in headers) == (
        "Social Example <notifications@social.example>",
        "admin@social.example",
        "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)",
    )
    assert mail.sender == "bounces@social.example"
    assert "https://web.social.example/admin/software_updates" in world.texts[0]


@pytest.mark.parametrize(("no_proxy", "is_proxied"), [("localhost,127.0.0.0/8,::1/128", False), ("localhost", True)])
def test_networks_without_a_proxy(world: World, no_proxy: str, *, is_proxied: bool) -> None:
    """`no_proxy` may name networks; the server's own inner address is never asked through a proxy."""
    world.only("log")
    world.answer_hook = lambda _: Reply.json({"version": "4.5.19"})
    world.set(UPDATE_CHECK_MASTODON_VERSION=None, UPDATE_CHECK_INSTANCE_URL=world.receiver.url().rstrip("/"))
    with HttpServer(lambda _: Reply(503)) as proxy:
        world.set(http_proxy=proxy.url(), no_proxy=no_proxy)
        assert int(is_proxied) == world.check().code
        assert ["/update-check"] * is_proxied == [request.path for request in proxy.requests]
    assert [call.path for call in world.calls] == ["/api/v2/instance"]


def runs(world: World, version: str) -> None:
    """Let the running server answer with this version."""
    world.answer_hook = lambda _: Reply.json({"domain": "social.example", "version": version})
    world.only("log")
    world.set(UPDATE_CHECK_INSTANCE_URL=world.receiver.url().rstrip("/"), UPDATE_CHECK_MASTODON_VERSION=None)


def test_the_running_server_is_down(world: World) -> None:
    """Its last answer stands until the tree changes; the check counts as good and says what it lacks."""
    runs(world, "4.5.18")
    write_tree(world.root, configured("4.5.19"))
    assert world.check().json["queried_version"] == "4.5.18"
    world.answer_hook = lambda _: Reply(502)
    finished = world.check()
    assert (finished.code, finished.json["queried_version"]) == (0, "4.5.18")
    assert ["502" in line["detail"] for line in finished.events("check.degraded")] == [True]
    write_tree(world.root, configured("4.5.20"))
    assert world.check().json["queried_version"] == "4.5.20"


def test_running_server_without_a_tree(world: World) -> None:
    """Beside containers there is no tree, which is not a problem while the running server answers."""
    runs(world, "4.5.18")
    world.set(UPDATE_CHECK_MASTODON_ROOT=None)
    finished = world.check()
    assert (finished.json["queried_version"], finished.events("check.degraded")) == ("4.5.18", [])


def test_no_version(world: World) -> None:
    """Without a version the update server is not asked: exit code 1, with every place that was looked at."""
    runs(world, "latest")
    finished = world.run("check")
    assert (finished.code, world.update_server.asked) == (1, [])
    assert "lib/mastodon/version.rb does not exist" in finished.out
    assert "answers with a version that cannot be read: 'latest'" in finished.out
    assert len(finished.events("check.failed")) == 1
