"""`route`: what to deploy in which order, asked for now, and never run."""

from end_to_end.world import WITHOUT_PRIVILEGES, World
from simulators.mastodon_tree import parts, write_tree


def test_route_from_source(world: World) -> None:
    """All series on the way with urgency and end of support, and the steps of the first one."""
    write_tree(world.root, parts("4.4.26"))
    world.set(UPDATE_CHECK_MASTODON_VERSION=None, UPDATE_CHECK_INSTALL_KIND="source")
    world.update_server.publish("4.4.27", urgent=True, type="patch")
    world.update_server.publish("4.5.20", type="minor", end_of_support="2099-02-20")
    world.update_server.publish("4.7.6", type="minor")
    world.update_server.set_current_end("2098-12-17")
    shown = world.run("route").out
    assert shown.startswith("""\
From 4.4.26 to 4.7.6:
  now   4.4.27                    urgent, patch
  then  4.5.20                    minor, supported until 20 February 2099
  then  4.6.x (its newest patch)
  then  4.7.6                     minor
Support for 4.4 ends on 17 December 2098.
At least one release of every branch must be deployed, here its newest; the others may be skipped.

To 4.4.27, for a Mastodon installed from source. None of this is run for you:
""")
    assert f"    cd {world.root}\n" in shown
    assert "    git checkout v4.4.27\n" in shown
    assert "    git checkout v4.5.20\n" in world.run("route", "4.5").out
    assert "    git checkout v4.5.20\n" in world.run("route", "v4.5.20").out
    assert [*world.directory.glob("state/*")] == []


def test_unknown_version_and_update_server_that_is_down(world: World) -> None:
    """Without any answer ever, the route is unknown; an earlier answer is shown, and named as such."""
    world.set(UPDATE_CHECK_MASTODON_VERSION=None)
    finished = world.run("route")
    assert (finished.code, finished.out, "UPDATE_CHECK_MASTODON_ROOT" in finished.err) == (1, "", True)
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.19")
    world.update_server.publish("4.5.20", type="patch")
    world.update_server.fail(503)
    finished = world.run("route")
    assert (finished.code, finished.out) == (1, "")
    assert "mastodon-update-check: the route is unknown: " in finished.err
    failed = world.run("route", "--json")
    assert (failed.code, failed.json["route"], "503" in failed.json["error"]) == (1, [], True)
    world.update_server.recover()
    world.check()
    world.update_server.fail(503)
    finished = world.run("route", "--json")
    assert (finished.code, [one["release"] for one in finished.json["route"]]) == (0, ["4.5.20"])
    assert {one["kind"] for one in finished.json["steps"]} == {"commandstep", "remark"}
    assert "503" in finished.json["error"]
    assert "This is from the last good answer.\nFrom 4.5.19 to 4.5.20:\n" in world.run("route").out


def test_unreadable_tree(world: World) -> None:
    """A home with mode 0700 is not an error: the known facts are shown."""
    (world.directory / "home").mkdir(mode=0)
    world.set(UPDATE_CHECK_MASTODON_ROOT=str(world.directory / "home/live"))
    world.update_server.publish("4.5.20", type="patch")
    finished = world.run("route", through=WITHOUT_PRIVILEGES)
    assert (finished.code, finished.out.partition("\n")[0]) == (0, "From 4.5.19 to 4.5.20:"), finished.err
    assert "installed from source" in finished.out
