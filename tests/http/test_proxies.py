"""Which proxy is used for which URL."""

import pytest

from mastodon_update_check.http.proxies import Proxies, is_local

ONE, OTHER = "http://one.example:3128", "http://other.example:3128"
NETWORKS = "localhost,127.0.0.0/8,::1/128, 10.0.0.0/8 ,.internal.example,intranet.example,[fd00::]/8,192.0.2.7"

ROWS = [
    ("https has its own", Proxies(https=ONE, http=OTHER), "https://a.example/", ONE),
    ("http has its own", Proxies(https=ONE, http=OTHER), "http://a.example/", OTHER),
    ("http_proxy serves https too", Proxies(http=ONE), "https://a.example/", ONE),
    ("https_proxy does not serve http", Proxies(https=ONE), "http://a.example/", None),
    ("none", Proxies(), "https://a.example/", None),
    ("without a scheme", Proxies(http="one.example:3128"), "http://a.example/", ONE),
    ("not a URL with a host", Proxies(http=ONE), "http:///x", None),
    *[
        (f"no_proxy: {host}", Proxies(http=ONE, no_proxy=NETWORKS), f"http://{host}:3000/", expected)
        for expected, hosts in (
            (None, ("localhost", "127.0.0.1", "127.9.9.9", "[::1]", "10.20.30.40", "[fd00::5]", "192.0.2.7")),
            (None, ("a.internal.example", "intranet.example", "a.intranet.example")),
            (ONE, ("[::2]", "11.20.30.40", "192.0.2.8", "notintranet.example")),
        )
        for host in hosts
    ],
    ("no_proxy: this port", Proxies(http=ONE, no_proxy="a.example:3000"), "http://a.example:3000/", None),
    ("no_proxy: the default port", Proxies(http=ONE, no_proxy="a.example:443"), "https://a.example/", None),
    ("no_proxy: another port", Proxies(http=ONE, no_proxy="a.example:3000"), "http://a.example/", ONE),
    ("no_proxy: all", Proxies(http=ONE, no_proxy="*"), "https://a.example/", None),
    ("no_proxy: nonsense", Proxies(http=ONE, no_proxy=",10.0.0.0/99,[,"), "http://10.0.0.1/", ONE),
]


@pytest.mark.parametrize(("proxies", "url", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_choice(proxies: Proxies, url: str, expected: str | None) -> None:
    """The rules of Mastodon and of curl, and networks in `no_proxy`."""
    assert proxies.choose(url) == expected


def test_proxies_are_not_shown() -> None:
    """A proxy's URL may hold a password."""
    assert "s3cret" not in repr(Proxies(http="http://a:s3cret@one.example", https="http://a:s3cret@one.example"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((host, True) for host in ("127.0.0.1", "localhost", "10.1.2.3", "192.168.1.1", "172.16.0.1", "100.64.0.1")),
        *((host, True) for host in ("169.254.1.1", "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1")),
        *((host, False) for host in ("1.1.1.1", "2606:4700:4700::1111", "social.invalid", "a..b")),
    ],
)
def test_local_hosts(host: str, expected: bool) -> None:  # noqa: FBT001
    """Loopback, private and link-local addresses are on this machine or network."""
    assert is_local(host) is expected
