"""What went wrong on the way to another host, and what it said, in words that are fit to be shown."""

import socket
import ssl
from collections.abc import Iterator

from mastodon_update_check.domain.text import clean


def explain(error: BaseException) -> str:
    """Return why a conversation failed: the most telling error among `error` and its causes, as part of a sentence."""
    causes = tuple(_causes(error))
    for kind in (ssl.SSLCertVerificationError, ssl.SSLError, socket.gaierror, TimeoutError, OSError):
        for cause in causes:
            if isinstance(cause, kind):
                return _phrase(cause)
    return clean(str(error)) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _phrase(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is refused: {clean(error.verify_message)}"
        case ssl.SSLError():
            return f"TLS failed: {clean((error.reason or str(error)).replace('_', ' ').lower())}"
        case socket.gaierror():
            return f"its name cannot be resolved: {clean(error.strerror or str(error))}"
        case TimeoutError():
            return "it took too long"
        case _:
            return clean(error.strerror or str(error)) or type(error).__name__
