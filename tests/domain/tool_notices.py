"""A notice of each kind about this tool or about the server's own processes."""

from datetime import UTC, datetime, timedelta

from domain.examples import version
from mastodon_update_check.domain.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    MigrationsPendingNotice,
    RestartNotice,
    ServicesOutdatedNotice,
    UpgradeFinishedNotice,
)

AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
CHECK = CheckFailingNotice(started_at=AT, stage=1, cause="tls", detail="certificate verify failed")
RECOVERED = CheckRecoveredNotice(started_at=AT, recovered_at=AT + timedelta(days=2))
DELIVERY = DeliveryFailingNotice(sink="webhook.ops", started_at=AT, stage=0, detail="HTTP 503")
MIGRATIONS = MigrationsPendingNotice(
    version=version("4.5.20+glitch"), migrations=("20260805130216",), newest="20260805130216", started_at=AT
)
SERVICES = ServicesOutdatedNotice(
    version=version("4.5.20+glitch"), services=("mastodon-sidekiq.service",), started_at=AT
)
FINISHED = UpgradeFinishedNotice(about=MIGRATIONS, ended_at=AT + timedelta(days=2))
RESTART = RestartNotice(tree=version("4.5.20+glitch"), running=version("4.5.19"))
