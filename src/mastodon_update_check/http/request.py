"""One request, its limits, and its answer, as values; nothing heavy is imported with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from mastodon_update_check.errors import Cause, CheckError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much one conversation may take."""

    connect: timedelta = timedelta(seconds=5)  # for each address of a host, and for the TLS handshake
    read: timedelta = timedelta(seconds=10)  # for each piece of the answer
    total: timedelta = timedelta(seconds=30)  # name resolution, all addresses, redirects, the answer
    body_bytes: int = 1024 * 1024
    redirects: int = 3


DOCUMENT = Limits()
EXCERPT = Limits(redirects=0, body_bytes=1024)
"""For a receiver of which the status counts: no redirect is followed, and only the beginning of the body is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; a user and password in the URL are sent as basic authentication."""

    url: str = field(repr=False)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    host: str = ""
    """The `Host` header if it is not to be the URL's host; TLS goes by the URL's host all the same."""
    local_directly: bool = False
    """Whether a host on this machine or network is asked without a proxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answer."""

    peer: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    fault: CheckError | None = None
    """Why `body` is only the beginning of the body."""


class StatusError(CheckError):
    """The answer had another status than 200, or a redirect that is not followed."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(Cause.HTTP_STATUS, detail)
        self.status = status
