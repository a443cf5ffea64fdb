"""Addresses: which ones mail can be sent to, and which ones are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.examples import cases
from mastodon_update_check.domain.addresses import Mailbox, normalise_address, parse_address, parse_mailbox
from mastodon_update_check.domain.urls import ascii_domain

SAME = [
    ("case and blanks", " Alice@Social.Example ", "alice@social.example"),
    ("A-labels and letters", "ops@xn--bcher-kva.example", "ops@bücher.example"),
    ("A-labels in capitals", "ops@XN--BCHER-KVA.example", "ops@Bücher.example"),
    ("a letter that older rules replaced", "ops@xn--strae-oqa.example", "ops@straße.example"),
    ("letters of another script", "ops@xn--r8jz45g.example", "ops@例え.example"),
    ("an ideographic full stop", "ops@xn--r8jz45g.example", "ops@例え。example"),
    ("full-width letters", "ops@social.example", "ops@\uff53ocial.example"),
    ("letters put together", "ops@bu\u0308cher.example", "ops@b\u00fccher.example"),
]
LONGEST = ".".join(["b" * 63] * 3 + ["b" * 61])
DIFFERENT = [
    ("another person", "alice@social.example", "bob@social.example"),
    ("A-labels in the local part", "xn--bcher-kva@social.example", "bücher@social.example"),
    ("no A-label after all", "ops@xn--.example", "ops@.example"),
]


@pytest.mark.parametrize(("sentence", "one", "other"), SAME, ids=[row[0] for row in SAME])
def test_the_same_address(sentence: str, one: str, other: str) -> None:
    """The recipient is the same, however the address is written."""
    del sentence
    assert normalise_address(one) == normalise_address(other)


@pytest.mark.parametrize(("sentence", "one", "other"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_different_addresses(sentence: str, one: str, other: str) -> None:
    """Two recipients are never taken for one."""
    del sentence
    assert normalise_address(one) != normalise_address(other)


@given(st.text(max_size=30) | st.from_regex(r"a@xn--[a-z0-9.-]{0,20}", fullmatch=True))
def test_any_text(text: str) -> None:
    """Every text has one such form, of which the form is itself; one that could be stored can be stored."""
    form = normalise_address(text)

    assert form == normalise_address(form)
    if max(text, default="") < "\ud800":
        form.encode()


@cases(
    "text local domain",
    ("plain", "admin@social.example", "admin", "social.example"),
    ("as it was written", "Admin+x@Social.Example", "Admin+x", "Social.Example"),
    ("all of atext", "!#$%&'*+-/=?^_`{|}~@x.example", "!#$%&'*+-/=?^_`{|}~", "x.example"),
    ("dots anywhere: such mailboxes exist", "a..b.@x.example", "a..b.", "x.example"),
    ("one label", "root@localhost", "root", "localhost"),
    ("umlaut", "a@bücher.example", "a", "xn--bcher-kva.example"),
    ("IDNA 2008, not 2003", "a@straße.example", "a", "xn--strae-oqa.example"),
    ("mapped to lower case (UTS #46)", "a@BÜCHER.example", "a", "xn--bcher-kva.example"),
    ("an ideographic full stop", "a@例え。example", "a", "xn--r8jz45g.example"),
    ("a domain of 253 characters", f"a@{LONGEST}", "a", LONGEST),
    ("a local part for SMTPUTF8", "jürgen@x.example", "jürgen", "x.example"),
)
def test_accepted(text: str, local: str, domain: str) -> None:
    """An address is split, and its domain written as A-labels."""
    assert parse_address(text) == Mailbox(local=local, domain=domain)


REFUSED = (
    *("", "admin", "@x.example", "admin@", "a@b@x.example", "a b@x.example", " a@x.example"),
    *("a@x.example NOTIFY=NEVER", "a@x.example\r\nDATA", "a@x.example\n", "a\0@x.example", "a\x7f@x.example"),
    *("a\u2028b@x.example", "a\u202eb@x.example", "a\u00a0b@x.example", "a\ud800@x.example", "a,b@x.example"),
    *("a@x.example,b@x.example", "a;b@x.example", "<a@x.example>", "a>b@x.example", '"a"@x.example'),
    *("a(comment)@x.example", "a\\b@x.example", "a@[192.0.2.1]", "a@x..example", "a@.x.example"),
    *("a@x.example.", "a@x\uff0cy.example", "a@" + "x" * 64 + ".example", f"a@{LONGEST}b"),
    *("a" * 320 + "@x.example", "a@\u202e.example"),
)


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_refused(text: str) -> None:
    """Text that could end a header or a command, or is not an address, is refused; the error is one clean line."""
    with pytest.raises(ValueError) as caught:
        parse_address(text)

    assert str(caught.value).isprintable()


@cases(
    "text expected",
    ("a@x.example", Mailbox(local="a", domain="x.example")),
    ("  a@x.example ", Mailbox(local="a", domain="x.example")),
    ("<a@x.example>", Mailbox(local="a", domain="x.example")),
    ("Mastodon <a@x.example>", Mailbox(name="Mastodon", local="a", domain="x.example")),
    ('"Söcial, Inc." <a@x.example>', Mailbox(name="Söcial, Inc.", local="a", domain="x.example")),
    ('"a \\"b\\" c" <a@x.example>', Mailbox(name='a "b" c', local="a", domain="x.example")),
    ("x\r\nBcc: y <a@x.example>", Mailbox(name="x Bcc: y", local="a", domain="x.example")),
)
def test_mailbox(text: str, expected: Mailbox) -> None:
    """An address may have a name before it, which is cleaned."""
    assert parse_mailbox(text) == expected


@pytest.mark.parametrize("text", ["A <a@x.example> B", "A <a@x.example", "A <a@x.example>, B <b@x.example>", "A <b>"])
def test_mailbox_refused(text: str) -> None:
    """Only one address, and nothing behind it."""
    with pytest.raises(ValueError, match="not a mail address"):
        parse_mailbox(text)


@pytest.mark.parametrize("domain", ["", "a b", "a/b", "-\u0301.example", "x" * 64, "a:25"])
def test_no_domain(domain: str) -> None:
    """Text that is not a host name has no A-labels."""
    with pytest.raises(ValueError, match="is not a host name"):
        ascii_domain(domain)
