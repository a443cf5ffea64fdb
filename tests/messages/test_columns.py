"""Lines of a terminal, also where characters take two columns each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastodon_update_check.messages.rendering import WIDTH, count_columns, fill, pad

WIDE = "お使いの系列のパッチリリースです。"


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("patch", 5), ("緊急", 4), ("4.5 系", 6), ("é", 1)])
def test_columns(text: str, columns: int) -> None:
    """Chinese, Japanese and Korean characters count twice."""
    assert count_columns(text) == columns
    assert count_columns(pad(text, 8)) == 8


def test_wide_lines() -> None:
    """A line ends between two wide characters, never before a full stop, after a bracket or within a date."""
    lines = fill(WIDE * 6).split("\n")
    assert [count_columns(line) for line in lines] == [78, 78, 48]
    assert "".join(lines) == WIDE * 6
    for size in range(30, 40):
        text = "あ" * size + "。「2027年2月20日」(緊急) mastodon-update-check"
        for line in fill(text).split("\n"):
            assert not line.startswith(("。", "」", ")", "年", "月", "日", "2月"))
            assert not line.endswith(("「", "("))


def test_blanks_between_words_are_kept() -> None:
    """Latin words in a wide text stay whole and apart, and a URL is not broken."""
    url = "https://social.example/" + "x" * 60
    text = f"Mastodon の {url} を見る"
    assert fill(text).split("\n") == ["Mastodon の", url, "を見る"]
    assert fill("甲 乙", indent="  ") == "  甲 乙"


@given(st.text(st.sampled_from("あ。「」a1年 \u00a0>"), max_size=300))
def test_nothing_is_lost(text: str) -> None:
    """Only blanks are removed, and lines that can be broken are short enough."""
    lines = fill(text).split("\n")
    assert "".join(text.split()) == "".join("".join(lines).split())
    for line in lines:
        assert count_columns(line) <= WIDTH or " " not in line.strip().rstrip(">").strip() or ">" in line
