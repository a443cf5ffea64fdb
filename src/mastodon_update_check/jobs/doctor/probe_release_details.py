"""Whether the source of release details answers."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.jobs.doctor.finding import Finding, ok, warning
from mastodon_update_check.jobs.observe import proxies

SOURCE = "release details"
_TOTAL = timedelta(seconds=20)


def probe_release_details(settings: Settings, known: ServerState) -> Iterator[Finding]:
    """Fetch the files of the installed release."""
    template = settings.release_details
    if not template:
        yield ok(SOURCE, "off: messages do not say what a release fixes (UPDATE_CHECK_RELEASE_DETAILS=github does)")
        return
    if known.installed is None:
        yield warning(SOURCE, "the source was not tried: the installed version is not known yet")
        return
    from mastodon_update_check.mastodon.release_details import fetch_releases, name_tag

    tag, host = name_tag(template, known.installed), urlsplit(template).hostname
    fetched = fetch_releases(template, [known.installed], {}, proxies(settings), _TOTAL)
    if fetched.problem:
        yield warning(SOURCE, f"{host} does not give the files of {tag}: {fetched.problem}")
        return
    missing = [path for path, fact in fetched.facts[tag].items() if not fact]
    yield ok(SOURCE, f"{host} has the files of {tag}" + (f", but not {', '.join(missing)}" if missing else ""))
