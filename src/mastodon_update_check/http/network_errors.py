"""Errors of sockets, names and TLS as sentences that say where to look."""

import errno
import os
import socket
import ssl

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.time_limit import TimeLimitError


def explain(error: BaseException, peer: str, fault: str = "") -> CheckError:
    """Return why a conversation with `peer`, a host and port, failed.

    `fault` is the end of the sentence for an error that lies neither in the name nor in TLS.
    """
    if isinstance(error, TimeLimitError):
        return CheckError(Cause.CONNECTION, f"{peer} {error}")
    causes = []
    beneath: BaseException | None = error
    while beneath is not None:
        causes.append(beneath)
        beneath = beneath.__cause__ or beneath.__context__
    for beneath in causes:
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
    if isinstance(error, TimeoutError):
        fault = "did not answer in time"
    if not fault:
        # The system's words; of several addresses, those for the last.
        numbers = [each.errno for each in causes if isinstance(each, OSError) and each.errno]
        fault = f"cannot be reached: {os.strerror(numbers[0] if numbers else errno.ECONNRESET).lower()}"
    return CheckError(Cause.CONNECTION, f"{peer} {fault}")


def _words(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLError) and reason:
        return clean(str(reason).replace("_", " ").lower())
    return clean(str(error.strerror or "unknown")).lower()
