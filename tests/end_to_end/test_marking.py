"""`check --mark`: an administrator who knows the pending releases is not notified of them."""

from end_to_end.world import World


def test_marked_notices_are_never_sent(world: World) -> None:
    """Pending releases are sent neither now nor later; later releases are."""
    world.update_server.publish("4.5.20", urgent=True)
    marked = world.run("check", "--mark")
    assert (0, (0, 0)) == (marked.code, world.notified)
    assert "3 messages marked as sent; nothing was sent." in marked.out
    assert ((0, 0, 0, 0, 0), (0, 0)) == (world.check().result, world.notified)
    world.update_server.publish("4.5.21", urgent=True)
    world.check()
    assert (1, 1) == world.notified


def test_nothing_is_marked_without_an_answer(world: World) -> None:
    """Without an answer of the update server nothing is marked, and the exit code shows it."""
    world.update_server.publish("4.5.20", urgent=True)
    world.update_server.fail(503)
    marked = world.run("check", "--mark")
    assert (1, True) == (marked.code, "0 messages marked as sent" in marked.out)
    world.update_server.recover()
    world.check()
    assert (1, 1) == world.notified


def test_either_or(world: World) -> None:
    """A rehearsal marks nothing."""
    assert 2 == world.run("check", "--dry-run", "--mark").code
