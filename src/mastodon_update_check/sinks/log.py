"""Log: one structured line for each message, at a level that fits."""

from collections.abc import Mapping, Sequence
from typing import Any

from mastodon_update_check import logs
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.messages.message import Message, MessageType

_WARNINGS = frozenset({MessageType.SUPPORT_ENDING, MessageType.CHECK_FAILING, MessageType.DELIVERY_FAILING})
_OFFERS = frozenset({MessageType.UPDATE_AVAILABLE, MessageType.UPDATE_REMINDER})


class LogSink:
    """Writes messages to this program's own log."""

    def send(self, message: Message) -> None:
        """Write `message` as one event, `notice.` and its type; an error is transient and sink-wide."""
        updates = _updates(message)
        try:
            logs.write_always(
                _level(message, updates),
                f"notice.{message.type.value}",
                instance=clean(message.instance),
                urgent=message.urgent,
                versions=[_text(update, "version") for update in updates],
                release_notes=[_text(update, "release_notes") for update in updates],
                message_id=clean(message.id),
                summary=clean(message.subject),
                devops_users=[clean(name) for name in message.devops_users],
            )
        except OSError as error:
            why = clean(error.strerror or str(error))
            raise TransientDeliveryError(f"the log cannot be written: {why}", sink_wide=True) from error


def create(options: Mapping[str, str]) -> LogSink:  # noqa: ARG001  # every factory takes its options; this one has none
    """Return the sink; how lines look is the program's own setting."""
    return LogSink()


def _updates(message: Message) -> Sequence[Mapping[str, object]]:
    """Return the updates that the message is about; if there are none, all pending ones."""
    data: Any = message.payload.get("data") or {}
    updates = data.get("updates") or ()
    reminded = updates[: len(data.get("reminders") or ())]
    return data.get("closed") or reminded or [one for one in updates if one.get("new", True)] or updates


def _level(message: Message, updates: Sequence[Mapping[str, object]]) -> str:
    if message.urgent:
        return "critical"
    offers_patch = any(update.get("type") == "patch" for update in updates)
    return "warning" if message.type in _WARNINGS or (message.type in _OFFERS and offers_patch) else "info"


def _text(update: Mapping[str, object], key: str) -> str:
    return clean(str(update.get(key) or ""))
