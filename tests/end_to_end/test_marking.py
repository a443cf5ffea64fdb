"""`check --mark`: an administrator who knows the pending releases is not notified of them."""

from end_to_end.world import World


def test_marked_notices_are_never_sent(world: World) -> None:
    """Pending releases are sent neither now nor later; later releases are."""
    world.update_server.publish("4.5.20", urgent=True)
    marked = world.run("check", "--mark")
    assert (marked.code, world.notified) == (0, (0, 0))
    assert "3 messages marked as sent; nothing was sent." in marked.out
    assert (world.check().result, world.notified) == ((0, 0, 0, 0, 0), (0, 0))
    world.update_server.publish("4.5.21", urgent=True)
    world.check()
    assert world.notified == (1, 1)


def test_nothing_is_marked_without_an_answer(world: World) -> None:
    """Without an answer of the update server nothing is marked, and the exit code shows it."""
    world.update_server.publish("4.5.20", urgent=True)
    world.update_server.fail(503)
    marked = world.run("check", "--mark")
    assert (marked.code, "0 messages marked as sent" in marked.out) == (1, True)
    world.update_server.recover()
    world.check()
    assert world.notified == (1, 1)


def test_either_or(world: World) -> None:
    """A rehearsal marks nothing."""
    assert world.run("check", "--dry-run", "--mark").code == 2
