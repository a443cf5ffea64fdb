"""The dialogue with a mail server: one command out, one reply in, and what every reply means.

`smtplib` writes the lines and reads them; bounds, judgements and sentences are added here. No sentence shows a secret,
not even when the server repeats it.
"""

import smtplib
import socket
from base64 import b64encode
from collections.abc import Callable

from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.http.net import Deadline
from mastodon_update_check.http.secrets import shown
from mastodon_update_check.sinks.mailserver import Bounds, MailServer
from mastodon_update_check.sinks.replies import Reply, Step, judge

REPLIES_BYTES = 1 << 20
"""Most that is read from one connection; a hundred mails' replies take some 60 KiB."""


class Dialogue:
    """Commands and replies over one socket after the other: the plain one, and the one with TLS."""

    def __init__(self, server: MailServer, bounds: Bounds, deadline: Deadline) -> None:
        self.deadline = deadline
        self.in_step = False
        """Whether both sides agree where the conversation stands, so that it can go on."""
        self._place = server.place
        self._bounds = bounds
        self._secrets = [server.password, b64encode(server.password.encode()).decode()]
        self._smtp = smtplib.SMTP(local_hostname=server.ehlo)

    def use(self, sock: socket.socket) -> None:
        """Speak over this socket; what the server said over the one before, and was not read, is forgotten."""
        if self._smtp.file is not None:
            self._smtp.file.close()
        self._smtp.sock = sock
        self._smtp.file = _Replies(sock)

    @property
    def sock(self) -> socket.socket:
        """The socket in use; raises TransientDeliveryError when the connection is gone."""
        if self._smtp.sock is None:
            raise TransientDeliveryError(f"the connection to {self._place} was lost", sink_wide=True)
        return self._smtp.sock

    def close(self) -> None:
        """Let go of the connection without a word."""
        self.in_step = False
        self._smtp.close()

    def secret(self, text: str) -> str:
        """Return `text` in base64, and see to it that no error shows it."""
        encoded = b64encode(text.encode()).decode()
        self._secrets.append(encoded)
        return encoded

    def greet(self) -> None:
        """Read the server's greeting."""
        self._expect(Step.CONNECT, self._exchange(Step.CONNECT, self._smtp.getreply))

    def introduce(self) -> None:
        """Say EHLO, and learn what the server offers."""
        self._expect(Step.EHLO, self._exchange(Step.EHLO, self._smtp.ehlo))

    def offers(self, extension: str) -> bool:
        """Whether the server named this extension in its last answer to EHLO."""
        return self._smtp.has_extn(extension)

    def command(self, step: Step, line: str, kind: int = 2) -> Reply:
        """Send a command; return the reply if its first digit is `kind`.

        Raises:
            TransientDeliveryError, PermanentDeliveryError: refused (see `replies`), or the connection is gone.
        """
        self._smtp.command_encoding = "utf-8"  # ASCII, unless SMTPUTF8 has been agreed
        return self._expect(step, self._exchange(step, lambda: self._smtp.docmd(line)), kind)

    def hand_over(self, data: bytes) -> Reply:
        """Send the mail after a 354; a connection that ends from here on leaves the outcome unknown.

        Raises:
            TransientDeliveryError, PermanentDeliveryError: refused, or nobody knows.
        """
        doubled = (b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:]  # RFC 5321, 4.5.2
        try:
            self._smtp.send(doubled + b".\r\n")
            self.sock.settimeout(self._bounds.accept)
            answer = self._smtp.getreply()
        except OSError as error:
            raise self._unknown(self._ended(error)) from error
        if answer[0] // 100 not in {2, 4, 5}:
            raise self._unknown(f"it answered {self._reply(answer)}")
        self.sock.settimeout(self._bounds.reply)
        return self._expect(Step.END, answer)

    def _exchange(self, step: Step, exchange: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        self.in_step = False
        try:
            return exchange()
        except OSError as error:  # smtplib's errors too; all of them mean that the connection is of no more use
            sentence = f"{self._place} did not answer {step}: {self._ended(error)}"
            raise TransientDeliveryError(sentence, sink_wide=not step.is_about_the_mail) from error

    def _expect(self, step: Step, answer: tuple[int, bytes], kind: int = 2) -> Reply:
        reply = self._reply(answer)
        if reply.kind == kind:
            self.in_step = True
            return reply
        error = judge(step, reply, f"{self._place} answered {step} with {reply}")
        self.in_step = reply.kind in {4, 5} and not error.sink_wide  # a plain refusal: RSET clears the rest away
        raise error

    def _reply(self, answer: tuple[int, bytes]) -> Reply:
        return Reply(answer[0], shown(answer[1].decode(errors="replace"), self._secrets))

    def _ended(self, error: OSError) -> str:
        if self.deadline.expired:
            return f"not done within {self._bounds.total.total_seconds():g} s in all"
        return "it took too long" if isinstance(error.__context__, TimeoutError) else "the connection was lost"

    def _unknown(self, why: str) -> TransientDeliveryError:
        self.in_step = False
        sentence = f"{self._place} may have accepted the mail or not, the outcome is unknown: {why}"
        return TransientDeliveryError(sentence)


class _Replies:
    """The server's side of a connection, for `smtplib` to read lines from: bounded in all."""

    def __init__(self, sock: socket.socket) -> None:
        self._file = sock.makefile("rb")
        self._left = REPLIES_BYTES

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(limit)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("it says too much")
        if not line.endswith(b"\n") and len(line) < limit:  # "2" may be what came of "250" or of "221"
            raise OSError("it stopped within a line")
        return line

    def close(self) -> None:
        self._file.close()
