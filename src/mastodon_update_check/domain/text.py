"""Outside text made fit to be shown: every server reply, user name and file content passes through here."""

import unicodedata

SHOWN_CHARACTERS = 200
"""Longest piece of outside text that is ever shown or stored (DESIGN.md, section 8)."""

# Cc control, Cf format (bidi overrides, zero width), Zl/Zp line and paragraph separators, Cs lone surrogates.
_UNSAFE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def words_of(error: BaseException) -> str:
    """Return what an error of somebody else's code says, fit to be shown; nothing if it cannot say anything."""
    try:
        return clean(str(error))
    except Exception:  # noqa: BLE001 - a text that cannot be made; whoever asks names the error's class
        return ""


def clean(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return `text` on one line, without control or formatting characters, cut at `limit` characters."""
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:  # nearly always
        return text.strip()
    head = text[: limit * 4]  # bounds the work on enormous texts; cut again below
    spaced = "".join(" " if unicodedata.category(char) in _UNSAFE else char for char in head)
    line = " ".join(spaced.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
