"""Standard output and standard error of commands: no secrets, and no control characters but our own.

The ledger, and whatever else a command shows, may have been written by another user.
"""

import io
import re
from typing import Self

from mastodon_update_check.logs import hide_secrets

_OURS = re.compile(r"(\r\x1b\[K|\x1b\[(?:0|1;31|2|31|32|33)m)")
"""Sequences that this program writes itself; colours can do no harm."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class CleanStream(io.TextIOWrapper):
    """A text stream that replaces control characters, except line breaks, and all that turn text around."""

    @classmethod
    def around(cls, stream: io.TextIOWrapper) -> Self:
        """Take over a stream; characters that its encoding lacks are written as escapes."""
        encoding, is_line_buffered = stream.encoding, stream.line_buffering
        return cls(stream.detach(), encoding, "backslashreplace", line_buffering=is_line_buffered)

    def write(self, text: str, /) -> int:
        """Write a text, and return its length."""
        parts = _OURS.split(hide_secrets(text))
        parts[::2] = [_CONTROLS.sub("\ufffd", part) for part in parts[::2]]
        super().write("".join(parts))
        return len(text)
