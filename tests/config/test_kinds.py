"""Kinds of values, with any text."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mastodon_update_check.config import kinds, recipients
from mastodon_update_check.domain import urls
from mastodon_update_check.domain.recipients import Preference

KINDS: list[Callable[[str], object]] = [urls.parse_proxy, urls.parse_url, kinds.choose(Preference)]
KINDS += [vars(module)[name] for module in (kinds, recipients) for name in vars(module) if name.startswith("parse_")]
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
URLS = TEXT.map("https://{}".format) | TEXT.map("https://a.example/{}".format) | TEXT.map("https://[{}]".format)
ADDRESSES = st.tuples(TEXT, TEXT).map("@".join)


def refuse(parse: Callable[[str], object], text: str) -> str:
    """Return the refusal of a text; empty if it is read."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("parse", KINDS, ids=lambda parse: parse.__qualname__)
@given(TEXT | URLS | ADDRESSES)
@example("https://a.example:²/")
@example("xn--a.example")
@example("whsec_====")
@example("@")
@example("https:// and")  # a part of the sentence
def test_any_text(parse: Callable[[str], object], text: str) -> None:
    """A text is read or refused, and nothing else happens; a refusal does not repeat it."""
    refusal, fixed = refuse(parse, text), refuse(parse, "\0")
    assert len(text) < 12 or text not in refusal or text in fixed  # it may be a part of the sentence


@given(TEXT.map("{}@social.example".format))
def test_addresses_hold_nothing_that_a_header_could_be_made_of(text: str) -> None:
    """An address is refused unless it has one @, no blanks, no control characters and no brackets."""
    is_plain = text.count("@") == 1 and text.strip().isprintable() and not set(text.strip()) & set(" <>,;\u3000")
    try:
        is_read = recipients.parse_address(text) == text.strip()
    except ValueError:
        is_read = False
    assert is_plain or not is_read


@pytest.mark.parametrize(
    "address", ["a@b", "a.b+c=d@social.example", "root@localhost", "ä@bücher.example", "o'neil@xn--bcher-kva.example"]
)
def test_addresses_that_are_in_use(address: str) -> None:
    """Addresses of the local machine, with labels and of international domains are allowed."""
    assert recipients.parse_address(f" {address} ") == address


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000",
        "https://user:pass@hooks.example:8443/a/b?c=d#e",
        "HTTPS://Social.Example/",
        "http://[2001:db8::1]:8080/x",
        "http://web_1/",
        "https://bücher.example/",
        "https://a.example/".ljust(2000, "x"),
    ],
)
def test_urls_that_are_in_use(url: str) -> None:
    """A URL is kept as it is."""
    assert urls.parse_url(f" {url} ") == url


@given(st.integers(min_value=0, max_value=kinds.LONGEST_DURATION.days), st.sampled_from("smhd"))
def test_durations(number: int, unit: str) -> None:
    """A duration is its number of units; without a unit, seconds."""
    seconds = number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    assert kinds.parse_duration(f" {number}{unit} ") == kinds.parse_duration(str(seconds)) == timedelta(seconds=seconds)
