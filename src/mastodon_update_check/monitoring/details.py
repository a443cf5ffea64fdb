"""The details of a status, each a label and a text: for a screen, a monitoring plugin and the status page."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from mastodon_update_check.domain.server.status import describe_pending, is_alive
from mastodon_update_check.domain.text import clean, count
from mastodon_update_check.ledger.summary import SinkAccount, UndeliveredMessage
from mastodon_update_check.messages.content import long_date
from mastodon_update_check.messages.explanations import describe_unfinished
from mastodon_update_check.messages.payload import list_route
from mastodon_update_check.monitoring.status import StatusReport

When = Callable[[datetime], str]


def list_details(report: StatusReport, when: When, *, is_public: bool = False) -> Iterator[tuple[str, str]]:
    """Give labels (empty: as before) and texts; in public without commands and machines, but with the upgrade route."""
    known = report.known
    if known.installed is not None:
        yield "Installed", known.installed.text
        names = [*describe_pending(known)]
        yield "Pending", ", ".join(names) or ("nothing" if known.good_at else "unknown")
        if names and is_public:
            yield "Upgrade route", " → ".join((known.installed.text, *list_route(known)))
        elif names:
            yield "", "`mastodon-update-check route` shows in which order to install them, and how."
    for sentence in describe_unfinished(known):
        yield "Unfinished", sentence
    yield from _describe_support(report)
    failing = f", failing since {when(known.failing_since)}: {known.detail}" if known.failing_since else ""
    yield "Last check", f"{when(known.checked_at) if known.checked_at else 'never'}{failing}"
    if failing:
        yield "Last good", when(known.good_at) if known.good_at else "never"
    for warning in _list_warnings(report):
        yield "Warning", warning
    yield "Next check", _describe_next(report, when)
    yield from _describe_outbox(report, when)
    if report.outbox.undelivered and not is_public:
        yield "", "`mastodon-update-check retry` makes them due at once; `explain` shows more."
    yield "Daemon", "running" if report.is_alive else _describe_absence(report, when, is_public=is_public)
    for node in () if is_public else report.nodes:
        works = "running, checks" if node.is_owner else "running"
        silent = f"silent since {when(node.alive_at)}"
        yield "", f"{clean(node.host)}: {works if is_alive(node.alive_at, report.now) else silent}"


def _list_warnings(report: StatusReport) -> Iterator[str]:
    for disabled in map(str, report.settings.disabled):
        if not any(disabled in warning for warning in report.known.warnings):
            yield disabled
    yield from filter(None, (report.settings.update_server_warning, *report.known.warnings))


def _describe_support(report: StatusReport) -> Iterator[tuple[str, str]]:
    known = report.known
    if known.support_ends_on is None or known.installed is None or report.support_days is None:
        return
    verb = "ended" if report.support_days < 0 else "until"
    left = f" ({count(report.support_days, 'day')} left)" if report.support_days >= 0 else ""
    yield "Support", f"{known.installed.branch} {verb} {long_date(known.support_ends_on)}{left}"


def _describe_next(report: StatusReport, when: When) -> str:
    if report.settings.off_reason:
        return "none, checking is off"
    if report.next_check_at is not None:
        return when(report.next_check_at)
    return "at any moment" if report.is_checked else "unknown, the daemon is not running"


def _describe_absence(report: StatusReport, when: When, *, is_public: bool) -> str:
    since = f" since {when(report.last_beat_at)}" if report.last_beat_at else ""
    if is_public:
        return f"not running{since}"
    start = "`systemctl start mastodon-update-check` (in a checkout `mastodon-update-check run`)"
    if report.is_checked:
        return f"not running on this machine{since}: {start}, as a standby"
    return f"not running{since}: {start}, unless a timer runs `mastodon-update-check check`"


def _describe_outbox(report: StatusReport, when: When) -> Iterator[tuple[str, str]]:
    outbox = report.outbox
    if not outbox.undelivered:
        yield "Undelivered", "nothing"
        return
    since = f"; the oldest since {when(outbox.waiting_since)}" if outbox.waiting_since else ""
    counts = f"{outbox.deferred} deferred, {outbox.failed} refused, {outbox.held_back} held back until tomorrow"
    yield "Undelivered", f"{counts}{since}"
    # Sinks that wait as a whole; of the others, each message that was not accepted.
    failing = {sink.name: sink for sink in outbox.sinks if sink.retry_at is not None or sink.is_stopped}
    for sink in failing.values():
        yield "", _describe_sink(sink, when)
    for line in list_undelivered(one for one in outbox.latest if one.sink not in failing):
        yield "", line


def _describe_sink(sink: SinkAccount, when: When) -> str:
    if sink.is_stopped:
        return f"{sink.name}: its receiver asked never to be called again, give it another URL: {sink.reply}"
    since = when(sink.failing_since) if sink.failing_since else ""
    again = f" (next attempt {when(sink.retry_at)})" if sink.retry_at else ""
    return f"{sink.name}: failing since {since}{again}: {sink.reply}"


def list_undelivered(messages: Iterable[UndeliveredMessage]) -> Iterator[str]:
    """Give the recipient of each message that was not accepted, and the reply."""
    for one in messages:
        to = f" to {one.address}" if one.address else ""
        yield f"{one.sink}{to}: {'refused' if one.is_refused else 'deferred'}: {one.reply}"
