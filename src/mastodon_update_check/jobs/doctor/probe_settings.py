"""The settings: each that is set, and where it comes from; secrets are not shown."""

from collections.abc import Iterable

from mastodon_update_check.config import Settings
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok, warning
from mastodon_update_check.jobs.recipients import MAIL


def probe_settings(settings: Settings) -> Iterable[Finding]:
    """List the settings with their origins, and missing ones."""
    files = [str(path) for path in (settings.config_file, *settings.mastodon_files) if path is not None]
    yield ok("settings", f"read from the environment{''.join(f' and {file}' for file in files)}; --verbose lists them")
    for name in sorted(settings.origins):
        yield ok("settings", f"{name}={settings.shown[name]} ({settings.origins[name]})", is_detail=True)
    for disabled in settings.disabled:
        yield error("settings", str(disabled))
    for sentence in filter(None, (*settings.warnings, settings.update_server_warning)):
        yield warning("settings", sentence)
    if not settings.mastodon_files:
        sentence = "Mastodon's .env.production was not read: give LOCAL_DOMAIN and SMTP_… in our own file"
        yield warning("settings", f"{sentence}, or set UPDATE_CHECK_MASTODON_ENV_FILE")
    if settings.instance_is_assumed:
        yield warning("settings", "LOCAL_DOMAIN is set nowhere: set it, it names the server in every message")
    if any(sink.plugin == MAIL for sink in settings.sinks) and "SMTP_FROM_ADDRESS" not in settings.origins:
        sentence = (
            "SMTP_FROM_ADDRESS is set nowhere: mails come from notifications@localhost, which many servers refuse"
        )
        yield warning("settings", sentence)


def describe_mastodons_check(settings: Settings) -> Finding:
    """Say whether the check that is built into Mastodon is on."""
    subject = "Mastodon's own check"
    if settings.mastodon_check_is_off:
        sentence = "is off (UPDATE_CHECK_URL is blank in its file): no mails, no admin page, no banner of its own"
        return ok(subject, sentence)
    if not settings.mastodon_files:
        return ok(subject, "may be on or off: its file was not read")
    return ok(subject, "is on: its users are mailed by both, and its admin page works")
