"""The content of a message, independent of its form: subject, blocks, footer; and the context that it is written in."""

from dataclasses import dataclass
from datetime import date, datetime

from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.notices import SupportNotice
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import urgent_to_act_on
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK, Translation


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One line of a list of releases."""

    version: str
    label: str
    """`urgent`, `patch`, `minor`, `major`."""
    url: str = ""
    is_link: bool = False
    """True if the URL may become a link: only on hosts that are known."""
    note: str = ""
    when: str = ""
    """`now` or `later`; empty when there is nothing to put in order."""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Releases:
    """A list of releases."""

    rows: tuple[Release, ...]
    notes_label: str = "Release notes"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A place to look, on a line of its own."""

    label: str
    target: str
    is_link: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The fixes of a release, and the steps of the upgrade."""

    title: str = ""
    fixes: tuple[Fix, ...] = ()
    sentences: tuple[str, ...] = ()


Block = Paragraph | Releases | Pointer | Details


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a message."""

    subject: str
    blocks: tuple[Block, ...]
    footer: str = ""
    footer_url: str = ""
    is_urgent: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """The facts at the moment when a message is composed."""

    instance: str
    knowledge: ServerState
    now: datetime
    hostname: str
    web_domain: str = ""
    has_admin_page: bool = True
    """True if Mastodon's own check is on, and with it the page `/admin/software_updates`."""
    update_host: str = ""
    install_kind: InstallKind | None = None
    reminders: FollowUps = FollowUps.NONE
    notified_support: SupportNotice | None = None
    translation: Translation = ENGLISH

    @property
    def installed(self) -> MastodonVersion | None:
        """The version that runs; None when it is unknown."""
        return self.knowledge.installed

    @property
    def branch(self) -> str:
        """The branch that runs; empty when it is not known."""
        return self.installed.branch if self.installed else ""

    @property
    def versions_to_act_on(self) -> frozenset[MastodonVersion]:
        """The urgent versions that call for action."""
        return frozenset(update.version for update in urgent_to_act_on(self.knowledge, self.now))

    @property
    def admin_url(self) -> str:
        """Mastodon's page of pending updates; empty when there is none."""
        if not self.has_admin_page or not self.web_domain:
            return ""
        return f"https://{self.web_domain}/admin/software_updates"

    @property
    def preferences_url(self) -> str:
        """Where a user changes which notices are mailed."""
        return f"https://{self.web_domain or self.instance}/settings/preferences/notifications"


def long_date(day: date) -> str:
    """Write a date as `20 February 2027`."""
    return ENGLISH.long_date(day).replace(NO_BREAK, " ")
