"""The log's events as values."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager

from mastodon_update_check import logs


@contextmanager
def capture_logs() -> Iterator[list[dict[str, object]]]:
    """Collect the events that are written meanwhile, in the order of their fields, at any level."""
    output, events = logs._outputs[0], list[dict[str, object]]()
    logs.configure("debug", "json", _Lines(events))
    try:
        yield events
    finally:
        logs._outputs[0] = output


class _Lines(io.StringIO):
    """A stream that parses each line as it is written."""

    def __init__(self, events: list[dict[str, object]]) -> None:
        super().__init__()
        self._events = events

    def write(self, text: str) -> int:
        event = json.loads(text)
        del event["at"]
        self._events.append({"log_level": event.pop("level"), **event})
        return len(text)
