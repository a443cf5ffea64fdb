"""`status`: how the server stands, with the exit codes of monitoring plugins."""

from argparse import Namespace

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, hide_secrets, load_app, minute, print_json
from mastodon_update_check.cli.status_json import describe, describe_life
from mastodon_update_check.cli.status_lines import write_lines
from mastodon_update_check.cli.status_picture import Picture
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.status import judge
from mastodon_update_check.ledger.nodes import Node  # noqa: TC001 - no time is lost by it
from mastodon_update_check.ledger.summary import OutboxSummary

_NOTHING = OutboxSummary(deferred=0, failed=0, held_back=0, waiting_since=None, sinks=())


def execute(arguments: Namespace) -> int:
    """Say how the server stands; return the exit code of a monitoring plugin."""
    app = load_app()
    picture = _look(app)
    if arguments.json:
        print_json(describe_life(picture) if arguments.alive else describe(picture))
    elif arguments.alive:
        print(_describe_life(picture))
    else:
        for line in write_lines(picture):
            print(hide_secrets(line, app.settings))
    if arguments.alive:
        return Exit.DONE if picture.is_alive else Exit.FAILED
    return picture.verdict.level


def _look(app: App) -> Picture:
    settings, now = app.settings, app.clock()
    known, outbox, beat_at = ServerState(), _NOTHING, None
    nodes: tuple[Node, ...] = ()
    found = app.find_ledger()
    if found is not None:
        with found as ledger:
            known = ledger.knowledge(settings.instance)
            outbox = ledger.summary(settings.instance, now, settings.sink_names)
            beat_at = app.last_beat_at(ledger)
            nodes = ledger.nodes(settings.instance, now)
    return Picture(
        settings=settings,
        known=known,
        outbox=outbox,
        last_beat_at=beat_at,
        nodes=nodes if app.ledger_place.is_shared else (),
        now=now,
        verdict=judge(known, outbox.waiting_since, now, settings.interval, settings.off_reason),
    )


def _describe_life(picture: Picture) -> str:
    if picture.is_alive:
        return "The daemon is at work."
    if picture.last_beat_at is None:
        return "The daemon is not at work: it was stopped, or never ran."
    return f"The daemon is not at work: its last sign of life is from {minute(picture.last_beat_at)}."
