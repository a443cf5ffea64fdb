"""Every error of this program; each family is one that a caller treats differently.

Errors of libraries are translated at the edge where they arise and go no further. Texts are written for an
administrator: one line, no secrets, no outside text that has not been through `domain.text.clean`.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum


class UpdateCheckError(Exception):
    """Base of all errors that this program raises on purpose."""

    exit_code = 1
    """Of a command that ends with it."""


class InvalidVersionError(UpdateCheckError, ValueError):
    """A version string that does not start with three numbers, is too long or is not printable ASCII."""


class SettingsError(UpdateCheckError):
    """The settings are wrong; `problems` holds one sentence for each, without secrets."""

    exit_code = 78

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class UntranslatedError(UpdateCheckError):
    """A catalogue lacks a sentence, or its placeholders differ from the original's."""


class UsageError(UpdateCheckError):
    """An argument names something unknown or ambiguous."""

    exit_code = 2


class LedgerError(UpdateCheckError):
    """The ledger cannot be read or written: damaged, newer, locked, read-only, or the disk is full."""

    exit_code = 74


class SetupError(UpdateCheckError):
    """`setup` cannot go on; completed steps stay, and are undone by `setup --undo`."""


class OwnershipLostError(LedgerError):
    """Another process owns the ledger now; nothing was written."""


class Cause(StrEnum):
    """The cause of a failing check; an operator looks in a different place for each."""

    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    HTTP_STATUS = "http_status"
    CONTENT = "content"
    VERSION = "version"
    DATABASE = "database"
    SETTINGS = "settings"
    INTERNAL = "internal"

    @property
    def is_remote(self) -> bool:
        """Return whether the cause is the update server or the network, not this server."""
        return self in {Cause.CONNECTION, Cause.TLS, Cause.HTTP_STATUS, Cause.CONTENT}


class CheckError(UpdateCheckError):
    """A check, or a part of it, failed."""

    def __init__(self, cause: Cause, detail: str) -> None:
        self.cause = cause
        self.detail = detail
        super().__init__(detail)


class DeliveryError(UpdateCheckError):
    """A message was not accepted; `reply` is the other side's, or the error of the connection."""

    def __init__(self, reply: str, *, sink_wide: bool = False) -> None:
        self.reply = str(reply)  # of a sink of another package, it may be any object
        self.sink_wide = sink_wide
        super().__init__(reply)


class TransientDeliveryError(DeliveryError):
    """The same message may be accepted later.

    With `sink_wide` the sink backs off as a whole; `retry_after` is the other side's wish (HTTP `Retry-After`, RFC
    9110, 10.2.3); with `may_have_arrived` the message was sent, and no reply came.
    """

    def __init__(
        self,
        reply: str,
        *,
        sink_wide: bool = False,
        retry_after: timedelta | None = None,
        may_have_arrived: bool = False,
    ) -> None:
        super().__init__(reply, sink_wide=sink_wide)
        self.retry_after = retry_after
        self.may_have_arrived = may_have_arrived


class PermanentDeliveryError(DeliveryError):
    """Will not pass unless the address, the URL or the sink's settings change.

    With `sink_wide`, this recipient is never tried again (HTTP 410); a new URL is a new recipient.
    """
