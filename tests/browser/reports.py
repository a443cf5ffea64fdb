"""Reports of servers for the pictures of the status page: quiet, busy, full of hostile texts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from domain.examples import update, version
from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.notices import UpdateType
from mastodon_update_check.domain.release_details import Requirement, UpgradeStep
from mastodon_update_check.domain.server.problems import CheckDay
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import Level, Verdict
from mastodon_update_check.ledger.summary import SinkAccount, UndeliveredMessage
from mastodon_update_check.monitoring.page import render_page
from mastodon_update_check.monitoring.status import StatusReport
from messages.writing import details, fix, with_details
from monitoring.examples import EMPTY_OUTBOX, NEW

NOW = datetime(2026, 11, 28, 10, 12, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
HOSTILE = "<script>document.title='owned'</script><img src=//evil.example/x onerror=\"document.title='owned'\">'"
NOTES = "https://github.com/mastodon/mastodon/releases/tag/v4.5.20"
FIX = fix("Fix a cross-site request forgery in the remote interaction form", "GHSA-abcd-efgh-ijkl")
QUIET = replace(
    NEW,
    known=ServerState(
        installed=version("4.5.20"),
        support_ends_on=date(2027, 6, 1),
        checked_at=NOW,
        good_at=NOW,
        days=tuple(CheckDay(date(2026, 11, day), 48, day % 7 == 3) for day in range(2, 29)),
    ),
    last_beat_at=NOW,
    verdict=Verdict(level=Level.OK, sentences=()),
)
DETAILS = details(
    "4.5.20",
    [FIX] * 11,
    needed=(UpgradeStep.BUNDLE_INSTALL, UpgradeStep.MIGRATIONS),
    requires=[Requirement(name="Ruby", minimum="3.3")],
)
SINK = SinkAccount(
    name="email",
    settings="",
    undelivered=2,
    failing_since=NOW,
    retry_at=None,
    is_stopped=False,
    reply="",
    sent_at=None,
)
REFUSAL = "mail.example answered RCPT with 451 4.7.1 greylisted"
REFUSED = UndeliveredMessage(sink="email", address="alice@social.example", is_refused=True, reply=REFUSAL)
BUSY = replace(
    QUIET,
    known=with_details(
        replace(
            QUIET.known,
            installed=version("4.5.19"),
            updates=(
                update("4.5.20", urgent=True, type=UpdateType.PATCH, notes=NOTES),
                update("4.6.3", type=UpdateType.MINOR, notes="https://elsewhere.example/4.6.3"),
            ),
            failing_since=NOW - HALF_AN_HOUR,
            detail="api.joinmastodon.org does not answer",
        ),
        DETAILS,
    ),
    outbox=replace(EMPTY_OUTBOX, deferred=1, failed=1, waiting_since=NOW, sinks=(SINK,), latest=(REFUSED,)),
    verdict=Verdict(level=Level.CRITICAL, sentences=("install 4.5.20, it is urgent",)),
)
FULL_OF_HOSTILITY = replace(
    BUSY,
    settings=replace(BUSY.settings, local_domain=HOSTILE),
    known=with_details(
        replace(
            BUSY.known,
            installed=version(f"4.5.19+{HOSTILE}"),
            updates=tuple(
                update(f"4.5.{number}", urgent=True, notes=notes)
                for number, notes in enumerate(
                    ("javascript:document.title='owned'", f"https://github.com/{HOSTILE}", "https://evil.example/"), 20
                )
            ),
            detail=HOSTILE,
            warnings=(HOSTILE,),
        ),
        replace(
            DETAILS,
            fixes=(Fix(text=HOSTILE, ids=(HOSTILE,)),),
            requires=(Requirement(name=HOSTILE, minimum="1"),),
        ),
    ),
    outbox=replace(
        BUSY.outbox,
        sinks=(replace(SINK, name=HOSTILE, reply=HOSTILE, is_stopped=True),),
        latest=(replace(REFUSED, sink=HOSTILE, address=HOSTILE, reply=HOSTILE),),
    ),
    verdict=Verdict(level=Level.CRITICAL, sentences=(HOSTILE,)),
)


def render(report: StatusReport, now: datetime = NOW, interval: timedelta = HALF_AN_HOUR, **names: str) -> str:
    """Render the page of a server."""
    return render_page(replace(report, now=now, settings=replace(report.settings, interval=interval)), **names)
