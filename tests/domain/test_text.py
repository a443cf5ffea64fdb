"""Outside text made fit to be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastodon_update_check.domain.text import clean, without_links


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("550 no such user", "550 no such user", id="harmless text stays"),
        pytest.param("Müller 管理者 🦣", "Müller 管理者 🦣", id="letters of all scripts stay"),
        pytest.param("  two\tblanks\r\n and  lines ", "two blanks and lines", id="one line, single blanks"),
        pytest.param("\x1b[31mred\x07", "[31mred", id="terminal sequences lose their control characters"),
        pytest.param("a\u202etxt.exe", "a txt.exe", id="text that turns the direction of reading"),
        pytest.param("a\u200bb\ufeffc", "a b c", id="characters without width"),
        pytest.param("a\u2028b\u2029c", "a b c", id="Unicode's own line breaks"),
        pytest.param("a\ud800b", "a b", id="half a character, which no mail can carry"),
        pytest.param("\x00\n", "", id="nothing to show"),
        pytest.param("x" * 200, "x" * 200, id="200 characters"),
        pytest.param("x" * 201, "x" * 199 + "…", id="201 characters are cut, and it shows"),
        pytest.param("x" * 10_000_000, "x" * 199 + "…", id="an enormous text"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    """One line without anything that could act instead of being read."""
    assert clean(text) == shown


def test_other_limits() -> None:
    """The limit can be another one."""
    assert (clean("abcd", 4), clean("abcde", 4)) == ("abcd", "abc…")


@given(st.text(), st.integers(1, 300))
def test_clean_is_always_safe(text: str, limit: int) -> None:
    """Any text becomes bounded, printable but for marks of scripts, encodable, and clean already."""
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert shown.splitlines() in ([], [shown])
    assert shown.encode().decode() == shown == clean(shown, limit)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Fix `a` in b/c (critical), v4.5", "Fix `a` in b/c (critical), v4.5"),
        ("see [here](https://evil.example/x)", "see [here] (…"),
        ("<http://evil.example|click> and <!channel>", "… and !channel"),
        ("www.evil.example", "…"),
        ("[here](//evil.example)", "[here] (…"),
        ("unlock it at evil.example/unlock or //evil.example", "unlock it at … or …"),
        ("https:evil.example/x javascript:alert(1) mailto:a", "… … …"),
        (
            "Fix app/models/a.rb, lib/mastodon/cli.rb and 4.5.20/4.5.21",
            "Fix app/models/a.rb, lib/mastodon/cli.rb and 4.5.20/4.5.21",
        ),
        ("@everyone", "everyone"),
        ("h<>ttp://evil.example", "…"),
        ("h@ttps:/evil.example HTTPS:///evil.example", "… …"),
    ],
)
def test_without_links(text: str, shown: str) -> None:
    """Nothing is left that a mail program or a chat makes a link or a mention of."""
    assert without_links(text) == shown
