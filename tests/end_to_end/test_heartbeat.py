"""The heartbeat: pings of checks and of the outbox."""

from end_to_end.world import World
from simulators.http_server import HttpServer, Reply, unused_port


def test_failed_check_is_said(world: World) -> None:
    """A check that fails says why; the next one that works says so."""
    with HttpServer(lambda _: Reply(200, b"OK")) as monitor:
        world.set(UPDATE_CHECK_HEARTBEAT_URL=monitor.url("/ping/1"))
        world.update_server.fail(503)
        assert world.check().code == 1
        world.update_server.recover()
        assert world.check().code == 0
    failed = monitor.requests[1]
    assert [request.path.rpartition("/")[2] for request in monitor.requests] == ["start", "fail", "start", "1"]
    assert "503" in failed.body.decode()


def test_proxy_is_used(world: World) -> None:
    """Pings go through the proxy, as every other request does."""
    with HttpServer(lambda _: Reply(200)) as proxy:
        world.set(http_proxy=proxy.url(), no_proxy="127.0.0.1", UPDATE_CHECK_HEARTBEAT_URL="http://hc.example/p")
        assert world.check().code == 0
    assert [request.target for request in proxy.requests] == ["http://hc.example/p/start", "http://hc.example/p"]


def test_outbox_that_stands_still_is_a_failure(world: World) -> None:
    """A check whose messages have been undelivered for six hours is not a success."""
    world.only("webhook")
    world.answer_hook = lambda _: Reply(503)
    world.update_server.publish("4.5.20")
    with HttpServer(lambda _: Reply(200, b"OK")) as monitor:
        world.set(UPDATE_CHECK_HEARTBEAT_URL=monitor.url("/api/push/t0ken?status=up&msg=OK&ping="))
        world.check()
        world.let_pass(hours=6, minutes=1)
        world.check()
    assert [request.query["status"] for request in monitor.requests] == ["up", "down"]
    assert "not been delivered since" in monitor.requests[1].query["msg"]


def test_failing_heartbeat_is_logged_and_shown(world: World) -> None:
    """The check does its work all the same; the log and `status` say it, without the secret in the URL."""
    world.set(UPDATE_CHECK_HEARTBEAT_URL=f"http://127.0.0.1:{unused_port()}/ping/s3cret-and-l0ng")
    finished = world.check()
    assert finished.code == 0
    assert [line["ping"] for line in finished.events("heartbeat.failed")] == ["start", "success"]
    status = world.run("status")
    assert "Warning:     the heartbeat does not arrive: 127.0.0.1:" in status.out
    assert "s3cret" not in finished.err + finished.out + status.out
