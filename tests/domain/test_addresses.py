"""Which addresses are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastodon_update_check.domain.addresses import normalise_address

SAME = [
    ("case and blanks", " Alice@Social.Example ", "alice@social.example"),
    ("A-labels and letters", "ops@xn--bcher-kva.example", "ops@bücher.example"),
    ("A-labels in capitals", "ops@XN--BCHER-KVA.example", "ops@Bücher.example"),
    ("a letter that older rules replaced", "ops@xn--strae-oqa.example", "ops@straße.example"),
    ("letters of another script", "ops@xn--r8jz45g.example", "ops@例え.example"),
    ("letters put together", "ops@bu\u0308cher.example", "ops@b\u00fccher.example"),
]
DIFFERENT = [
    ("another person", "alice@social.example", "bob@social.example"),
    ("A-labels in the local part", "xn--bcher-kva@social.example", "bücher@social.example"),
    ("no A-label after all", "ops@xn--.example", "ops@.example"),
]


@pytest.mark.parametrize(("sentence", "one", "other"), SAME, ids=[row[0] for row in SAME])
def test_the_same_address(sentence: str, one: str, other: str) -> None:
    """However it is written, nobody is told twice."""
    del sentence
    assert normalise_address(one) == normalise_address(other)


@pytest.mark.parametrize(("sentence", "one", "other"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_different_addresses(sentence: str, one: str, other: str) -> None:
    """Nobody is taken for somebody else."""
    del sentence
    assert normalise_address(one) != normalise_address(other)


@given(st.text(max_size=30) | st.from_regex(r"a@xn--[a-z0-9.-]{0,20}", fullmatch=True))
def test_any_text(text: str) -> None:
    """Every text has one such form, of which the form is itself; one that could be stored can be stored."""
    form = normalise_address(text)

    assert form == normalise_address(form)
    if "\ud800" > max(text, default=""):
        form.encode()
