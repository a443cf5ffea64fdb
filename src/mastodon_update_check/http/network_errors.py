"""What went wrong on the way to another host, said so that an administrator knows where to look."""

import errno
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause, CheckError

# Codes of OpenSSL's X509_V_ERR_…; whatever is not here is said in OpenSSL's words.
_CERTIFICATE_FAULTS = {
    9: "is not valid yet (is the clock right?)",
    10: "has expired",
    18: "is signed by itself, not by an authority",
    19: "comes from an authority that is not among this system's trusted ones",
    20: "comes from an authority that is not among this system's trusted ones",
    21: "comes from an authority that is not among this system's trusted ones",
    23: "has been revoked",
    62: "is for another name",
    64: "is for another address",
}


@dataclass(slots=True, kw_only=True)
class Peer:
    """Whom we are talking to at the moment; `str` names the one whose failure it is."""

    host: str
    proxy: str | None
    is_tunnelled: bool = False
    """Whether the proxy has connected us: what fails from here on is the host's failure."""
    has_answered: bool = False
    """Whether the head of the answer has been read."""

    def __str__(self) -> str:
        return f"the proxy {self.proxy}" if self.proxy and not self.is_tunnelled else self.host

    @property
    def described(self) -> str:
        """The host, and the proxy through which it was asked if that one can change what it says."""
        return f"{self.host} (through {self})" if self.proxy and not self.is_tunnelled else self.host


def explain(error: Exception, peer: Peer, timeouts: Mapping[str, float]) -> CheckError:
    """Return what an error of httpx means; the system's own error beneath it tells more than its text."""
    for beneath in _chain(error):
        match beneath:
            case socket.gaierror():
                return CheckError(Cause.DNS, f"the name of {peer} cannot be resolved: {_words(beneath)}")
            case UnicodeError():
                return CheckError(Cause.DNS, f"{peer} is not a name that can be resolved")
            case ssl.SSLCertVerificationError():
                return CheckError(Cause.TLS, f"the certificate of {peer} {_certificate_fault(beneath)}")
            case ssl.SSLError():
                return CheckError(Cause.TLS, f"no TLS connection with {peer}: {_words(beneath)}")
    return CheckError(Cause.CONNECTION, _connection_fault(error, peer, timeouts))


def _connection_fault(error: Exception, peer: Peer, timeouts: Mapping[str, float]) -> str:
    match error:
        case httpx.ConnectTimeout():
            return f"{peer} did not take the connection within {timeouts['connect']:g} s"
        case httpx.TimeoutException():
            return f"{peer} was silent for {timeouts['read']:g} s"
        case httpx.ProxyError():
            status = str(error).split(" ", 1)[0]
            return f"{peer} does not connect us to {peer.host}" + (f" (status {status})" if status.isdigit() else "")
        case httpx.ConnectError():
            return f"{peer} cannot be reached: {_system_words(error)}"
        case _ if peer.has_answered:
            return f"{peer} ended the connection in the middle of its answer"
        case httpx.NetworkError():
            return f"{peer} ended the connection before it answered: {_system_words(error)}"
        case _:
            return f"{peer} ended the connection before it answered, or does not speak HTTP"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _system_words(error: Exception) -> str:
    """Return the system's words for what lies beneath; for several addresses, those for the last."""
    numbers = [each.errno for each in _chain(error) if isinstance(each, OSError) and each.errno]
    return os.strerror(numbers[0] if numbers else errno.ECONNRESET).lower()


def _words(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLError) and reason:
        return clean(str(reason).replace("_", " ").lower())
    return clean(str(error.strerror or "unknown")).lower()


def _certificate_fault(error: ssl.SSLCertVerificationError) -> str:
    return _CERTIFICATE_FAULTS.get(error.verify_code, f"is not accepted: {clean(error.verify_message)}")
