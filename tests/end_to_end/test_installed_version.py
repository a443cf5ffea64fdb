"""The installed version: from the tree, from the running server, and neither."""

from end_to_end.world import World
from simulators.http_server import Reply
from simulators.mastodon_tree import configured, write_tree


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


def test_no_version(world: World) -> None:
    """Without a version the update server is not asked: exit code 1, with every place that was looked at."""
    runs(world, "latest")
    finished = world.run("check")
    assert (finished.code, world.update_server.asked) == (1, [])
    assert "lib/mastodon/version.rb does not exist" in finished.out
    assert "answers with a version that cannot be read: 'latest'" in finished.out
    assert len(finished.events("check.failed")) == 1
