"""Outside text made fit to be shown."""

from hypothesis import given
from hypothesis import strategies as st

from domain.examples import cases
from mastodon_update_check.domain.text import clean, without_links


@cases(
    "text shown",
    ("harmless text stays", "550 no such user", "550 no such user"),
    ("letters of all scripts stay", "Müller 管理者 🦣", "Müller 管理者 🦣"),
    ("one line, single blanks", "  two\tblanks\r\n and  lines ", "two blanks and lines"),
    ("terminal sequences lose their control characters", "\x1b[31mred\x07", "[31mred"),
    ("text that turns the direction of reading", "a\u202etxt.exe", "a txt.exe"),
    ("characters without width", "a\u200bb\ufeffc", "a b c"),
    ("Unicode's own line breaks", "a\u2028b\u2029c", "a b c"),
    ("half a character, which no mail can carry", "a\ud800b", "a b"),
    ("nothing to show", "\x00\n", ""),
    ("200 characters", "x" * 200, "x" * 200),
    ("201 characters are cut, and it shows", "x" * 201, "x" * 199 + "…"),
    ("an enormous text", "x" * 10_000_000, "x" * 199 + "…"),
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


@cases(
    "text shown",
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
)
def test_without_links(text: str, shown: str) -> None:
    """Nothing is left that a mail program or a chat makes a link or a mention of."""
    assert without_links(text) == shown
