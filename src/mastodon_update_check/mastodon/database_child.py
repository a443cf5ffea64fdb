"""The process that talks to Mastodon's database, started by `mastodon.database` with one JSON object as its input.

The name resolver, libpq and the answers of the server stay in this process, so that the kernel limits the time and the
memory of all of them. It answers with JSON lines (`database_session.ask_each`).
"""

import json
import resource
import signal
import sys


def main() -> None:
    """Read the request, set the limits, ask, and print each event."""
    request = json.load(sys.stdin)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, also inside a library
    signal.setitimer(signal.ITIMER_REAL, request["limits"]["total"])
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = request["limits"]["memory_bytes"]
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold the password
    sys.path[:] = request["path"]
    try:
        from mastodon_update_check.mastodon.database_session import ask_each
    except ImportError as error:
        print(json.dumps({"missing": str(error).splitlines()[0]}))  # noqa: T201 - the protocol
        return
    for event in ask_each(request["logins"], request["limits"]):
        print(json.dumps(event), flush=True)  # noqa: T201 - the protocol


if __name__ == "__main__":
    main()
