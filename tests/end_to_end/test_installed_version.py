"""The installed version: from the tree, from the running server, and neither."""

import pytest

from end_to_end.world import World
from simulators.http_server import Reply
from simulators.mastodon_tree import configured, flags, settings, write_tree


def runs(world: World, version: str) -> None:
    """Let the running server answer with this version."""
    world.answer_hook = lambda _: Reply.json({"domain": "social.example", "version": version})
    world.only("log")
    world.set(UPDATE_CHECK_INSTANCE_URL=world.receiver.url().rstrip("/"), UPDATE_CHECK_MASTODON_VERSION=None)


@pytest.mark.parametrize(
    ("tree", "config", "expected"),
    [
        pytest.param(flags("3.5.3", suffix="'+glitch'"), None, ("3.5.3+glitch", "3.5.3"), id="3.5, glitch-soc"),
        pytest.param(configured("4.5.19"), None, ("4.5.19", "4.5.19"), id="4.5"),
        pytest.param(
            configured("4.5.19"), settings("kmyblue", "lts.1"), ("4.5.19-lts.1+kmyblue", "4.5.19-lts.1"), id="a fork"
        ),
    ],
)
def test_the_tree_alone(world: World, tree: str, config: str | None, expected: tuple[str, str]) -> None:
    """The version file of the tree names the installed version."""
    world.only("log")
    world.set(UPDATE_CHECK_MASTODON_VERSION=None)
    write_tree(world.root, tree, config)
    answer = world.check().json
    assert (answer["installed_version"], answer["queried_version"]) == expected


@pytest.mark.parametrize(
    ("tree", "running", "asked"),
    [
        pytest.param("4.5.20", "4.5.19", "4.5.19", id="not restarted yet: the running one is lower"),
        pytest.param("4.5.18", "4.5.19", "4.5.18", id="the tree is lower"),
        pytest.param("4.5.19", "4.5.19+glitch", "4.5.19", id="the same"),
    ],
)
def test_the_lower_one_counts(world: World, tree: str, running: str, asked: str) -> None:
    """Of tree and running server the lower version counts."""
    runs(world, running)
    write_tree(world.root, configured(tree))
    assert world.check().json["queried_version"] == asked
    assert {"host": "social.example", "x-forwarded-proto": "https"}.items() <= world.calls[0].headers.items()


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
