"""The settings that the supervisor needs, as plain values that a child process prints: it imports no pydantic."""

from mastodon_update_check.config.model import Settings

Plain = str | float | bool | list[str]


def supervisor_settings(settings: Settings) -> dict[str, Plain]:
    """Return them as an object that JSON can hold; the ledger's URL may hold a password."""
    return {
        "interval_seconds": settings.interval.total_seconds(),
        "jitter_seconds": settings.jitter.total_seconds(),
        "ledger": settings.ledger,
        "is_ledger_shared": settings.ledger.startswith("postgresql://"),
        "instance": settings.instance,
        "sinks": list(settings.sink_names),
        "off_reason": settings.off_reason,
        "log_level": settings.log_level,
        "log_format": settings.log_format,
    }
