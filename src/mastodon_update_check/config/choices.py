"""The words that some variables allow."""

from enum import StrEnum


class LogLevel(StrEnum):
    """The least severe log lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogFormat(StrEnum):
    """The form of log lines; `auto` is the console's on a terminal, else JSON."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class AuthMethod(StrEnum):
    """`SMTP_AUTH_METHOD`; `none` does not log in even when there is a name and a password."""

    PLAIN = "plain"
    LOGIN = "login"
    CRAM_MD5 = "cram_md5"
    NONE = "none"


class VerifyMode(StrEnum):
    """`SMTP_OPENSSL_VERIFY_MODE`; all but `none` mean for a client that the server's certificate is checked."""

    NONE = "none"
    PEER = "peer"
    CLIENT_ONCE = "client_once"
    FAIL_IF_NO_PEER_CERT = "fail_if_no_peer_cert"


class SslMode(StrEnum):
    """`DB_SSLMODE`, as libpq has them."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"
