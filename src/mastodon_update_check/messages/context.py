"""The context of a message: facts about the server and this tool that are not in its notices."""

from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.domain.notices import SupportNotice
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import urgent_to_act_on
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.messages.translation import ENGLISH, Translation


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """The facts at the moment when a message is composed."""

    instance: str
    knowledge: ServerState
    now: datetime
    hostname: str
    web_domain: str = ""
    """`WEB_DOMAIN`, where users log in; empty when it is not known."""
    has_admin_page: bool = True
    """True if Mastodon's own check is on, and with it the page `/admin/software_updates`."""
    update_host: str = ""
    install_kind: InstallKind | None = None
    reminders: FollowUps = FollowUps.NONE
    notified_support: SupportNotice | None = None
    """The support notice of the message, if it has one."""
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
