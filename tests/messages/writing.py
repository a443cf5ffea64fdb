"""Messages to read: composed with a server around them that each test describes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from domain.examples import INSTANCE, NOW, update, user, version
from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.notices import Notice, UpdateNotice, UpdateType
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.release_details import ReleaseDetails, Requirement, UpgradeStep
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.messages.compose import compose
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.messages.message import Message

NOTES = "https://github.com/mastodon/mastodon/releases/tag/v"
OWNER = user(role="Owner")
ENDS_ON = date(2027, 2, 20)


def patch(text: str, *, urgent: bool = False) -> UpdateNotice:
    """Return a patch release with its notes."""
    return update(text, urgent=urgent, type=UpdateType.PATCH, notes=NOTES + text)


def minor(text: str, *, urgent: bool = False, ends_on: date | None = None) -> UpdateNotice:
    """Return a minor release with its notes."""
    return update(text, urgent=urgent, type=UpdateType.MINOR, notes=NOTES + text, ends_on=ends_on)


def with_details(known: ServerState, *details: ReleaseDetails) -> ServerState:
    """Return a state with these details, which its facts need not show."""
    changed = replace(known)
    changed.__dict__["details"] = details
    return changed


def make_context(
    pending: Sequence[UpdateNotice] = (),
    installed: str | None = "4.5.19",
    ends_on: date | None = None,
    now: datetime = NOW,
    details: Sequence[ReleaseDetails] = (),
    **fields: Any,  # noqa: ANN401 - fields of the knowledge or the context
) -> MessageContext:
    """Return what is true when a message is composed."""
    knowledge = ServerState(
        installed=None if installed is None else version(installed),
        updates=tuple(pending),
        support_ends_on=ends_on,
        good_at=now,
    )
    knowledge = with_details(knowledge, *details)
    context = MessageContext(
        instance=INSTANCE,
        knowledge=knowledge,
        now=now,
        hostname="web1",
        web_domain="social.example",
        update_host="api.joinmastodon.org",
    )
    return replace(context, **fields)


def details(
    text: str,
    fixes: Sequence[Fix] | None = (),
    needed: Sequence[UpgradeStep] = (),
    unknown: Sequence[UpgradeStep] = (UpgradeStep.ASSETS,),
    requires: Sequence[Requirement] | None = (),
    installed: str = "4.5.19",
) -> ReleaseDetails:
    """Return what is known of an upgrade; steps that are neither needed nor unknown are not needed."""
    return ReleaseDetails(
        version=version(text),
        installed=version(installed),
        fixes=None if fixes is None else tuple(fixes),
        requires=None if requires is None else tuple(requires),
        steps={step: True if step in needed else None if step in unknown else False for step in UpgradeStep},
        ruby="3.4.8",
    )


def fix(text: str, *ids: str, is_container_only: bool = False) -> Fix:
    """Return a security fix."""
    return Fix(text=text, ids=ids, is_container_only=is_container_only)


def write(
    notices: Sequence[Notice] | None, context: MessageContext | None = None, recipient: Recipient = OWNER
) -> Message:
    """Compose a message; without make_context its updates alone are pending."""
    if context is None:
        context = make_context([notice for notice in notices or () if isinstance(notice, UpdateNotice)])
    return compose(id="0f" * 16, recipient=recipient, notices=notices, created_at=NOW, context=context)


def body(message: Message) -> list[str]:
    """Return the paragraphs of the text, each on one line, without its footer."""
    text = message.text.partition("\n\n-- \n")[0]
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def footer(message: Message) -> str:
    """Return the footer on one line."""
    return " ".join(message.text.partition("\n\n-- \n")[2].split())
