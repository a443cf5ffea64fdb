"""Errors of sockets, names and TLS as sentences that say where to look; the one table of them."""

import errno
import os
import socket
import ssl
from collections.abc import Iterator

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.time_limit import TimeLimitError


def explain(error: BaseException, peer: str) -> CheckError:
    """Return why a conversation with `peer`, a host and port, failed."""
    if isinstance(error, TimeLimitError):
        return CheckError(Cause.CONNECTION, f"{peer} {error}")
    known = explain_name_or_tls(error, peer)
    if known is not None:
        return known
    if isinstance(error, TimeoutError):
        return CheckError(Cause.CONNECTION, f"{peer} did not answer in time")
    return CheckError(Cause.CONNECTION, f"{peer} cannot be reached: {system_words(error)}")


def explain_name_or_tls(error: BaseException, peer: str) -> CheckError | None:
    """Return the error of name resolution or TLS that lies beneath `error`; None if it is of another kind."""
    for beneath in _chain(error):
        match beneath:
            case socket.gaierror():
                return CheckError(Cause.DNS, f"the name of {peer} cannot be resolved: {_words(beneath)}")
            case UnicodeError():
                return CheckError(Cause.DNS, f"{peer} is not a name that can be resolved")
            case ssl.SSLCertVerificationError():
                return CheckError(
                    Cause.TLS, f"the certificate of {peer} is not accepted: {clean(beneath.verify_message.rstrip('.'))}"
                )
            case ssl.SSLError():
                return CheckError(Cause.TLS, f"no TLS connection with {peer}: {_words(beneath)}")
    return None


def system_words(error: BaseException) -> str:
    """Return the system's words for what lies beneath; of several addresses, those for the last."""
    numbers = [each.errno for each in _chain(error) if isinstance(each, OSError) and each.errno]
    return os.strerror(numbers[0] if numbers else errno.ECONNRESET).lower()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLError) and reason:
        return clean(str(reason).replace("_", " ").lower())
    return clean(str(error.strerror or "unknown")).lower()
