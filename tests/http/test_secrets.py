"""The one rule for secrets in text from outside."""

import html
import json
from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mastodon_update_check.http.secrets import hide, secrets_of, shown

URL = "https://us%40er:pa%2Fss%20word@hook.example:8443/services/T0001/XXXXXXXXXXXXXXXXXXXXXXXX?token=hunter2&a=b"
FORMS = [
    "/services/T0001/XXXXXXXXXXXXXXXXXXXXXXXX?token=hunter2&a=b",
    "no such hook: XXXXXXXXXXXXXXXXXXXXXXXX",
    "token=hunter2&a=b",
    "Basic " + b64encode(b"us@er:pa/ss word").decode(),
    "us@er:pa/ss word",
    "pa%2Fss%20word",
    "pa/ss word",
    json.dumps({"path": "/services/T0001/XXXXXXXXXXXXXXXXXXXXXXXX?token=hunter2&a=b"}).replace("/", "\\/"),
    html.escape("/services/T0001/XXXXXXXXXXXXXXXXXXXXXXXX?token=hunter2&a=b"),
]


@pytest.mark.parametrize("text", FORMS)
def test_forms_in_which_servers_repeat_a_url(text: str) -> None:
    """Nothing of path, query, user and password is shown; host and port are."""
    result = shown(f"hook.example:8443 says: {text} is unknown", secrets_of(URL))
    assert not any(piece in result for piece in ("T0001", "XXXX", "hunter2", "us@er", "pa/ss", "pa%2Fss", "Basic dX"))
    assert result.startswith("hook.example:8443 says: ")
    assert result.endswith(" is unknown")


def test_short_words_of_a_path_stay() -> None:
    """Words such as `services` would make holes in every sentence."""
    assert shown("no such services", secrets_of(URL)) == "no such services"


def test_nothing_is_secret_in_a_bare_url() -> None:
    """`/` is not a secret."""
    assert secrets_of("https://hook.example/") == frozenset()


@given(st.text(min_size=4, max_size=30), st.integers(0, 30), st.text(max_size=20))
def test_cut_texts_hold_no_beginning_of_a_secret(secret: str, size: int, before: str) -> None:
    """A text that was cut in the middle of a secret loses that part."""
    whole = before + secret[:size]
    assume(hide(whole, {secret}) == whole)
    assert before.startswith(hide(whole, {secret}, is_cut=True))


@given(st.text(min_size=1, max_size=8), st.text(max_size=40), st.sampled_from([str, quote, html.escape]))
def test_secrets_are_gone(secret: str, before: str, write: type[str]) -> None:
    """A secret is not in the text, in any surroundings."""
    if not {"…", "\0"} & set(secret):
        assert write(secret) not in hide(f"{before}{write(secret)}", {secret}).replace("…", "\0")


@pytest.mark.parametrize("mark", ["\x00", "\u200b", "\x1b", "\r\n"])
def test_secrets_with_characters_that_are_not_seen(mark: str) -> None:
    """A server that writes a password with such a character in the middle does not get it shown."""
    assert "battery" not in shown(f"535 correct{mark}-horse-battery no", ["correct-horse-battery"])
