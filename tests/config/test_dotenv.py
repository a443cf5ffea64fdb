r"""Files are read by the rules of Ruby's dotenv; each row of the tables states one of them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastodon_update_check.config.dotenv import Defect, expand, parse
from mastodon_update_check.config.variables import FILE_BYTES, VALUE_BYTES

COMMAND, TOO_LONG, TOO_MUCH = Defect.COMMAND, Defect.TOO_LONG, Defect.TOO_MUCH


def read(text: str, environ: dict[str, str] | None = None) -> dict[str, str | Defect]:
    """Return every value of a file."""
    document = parse(text)
    return expand(document, {assignment.name for assignment in document}, environ or {})


SYNTAX = [
    ("a bare value", "A=b", {"A": "b"}),
    ("no value", "A=", {"A": ""}),
    ("blanks around a bare value", "A=  b \t", {"A": "b"}),
    ("blanks inside a bare value", "A=b c", {"A": "b c"}),
    ("blanks before the equals sign", "A =b", {"A": "b"}),
    ("blanks before the name", "  A=b", {"A": "b"}),
    ("a colon and a blank", "A: b", {"A": "b"}),
    ("a colon without a blank assigns nothing", "A:b", {}),
    ("a blank before the colon assigns nothing", "A : b", {}),
    ("a colon in a value", "A=b:c", {"A": "b:c"}),
    ("an equals sign in a value", "A=b=c", {"A": "b=c"}),
    ("a name with a dot", "A.B=c", {"A.B": "c"}),
    ("a name in lower case", "https_proxy=c", {"https_proxy": "c"}),
    ("a name with a hyphen assigns nothing", "A-B=c", {}),
    ("a name that is not ASCII assigns nothing", "Ä=c", {}),
    ("export", "export A=b", {"A": "b"}),
    ("export on the line before", "export\nA=b", {"A": "b"}),
    ("a variable that is called export", "export = b", {"export": "b"}),
    ("a name that begins with export", "exported=b", {"exported": "b"}),
    ("a comment line", "# A=b\nC=d", {"C": "d"}),
    ("a comment line with blanks before it", " \t# A=b", {}),
    ("a comment behind a value", "A=b # c", {"A": "b"}),
    ("a comment behind a value without a blank", "A=b#c", {"A": "b"}),
    ("a comment instead of a value", "A=#c", {"A": ""}),
    ("empty lines", "\n \nA=b\n\n\nC=d\n", {"A": "b", "C": "d"}),
    ("a line that assigns nothing", "what is this\nA=b", {"A": "b"}),
    ("the last of several", "A=b\nA=c", {"A": "c"}),
    ("line ends of Windows", "A=b\r\nC=d\r\n", {"A": "b", "C": "d"}),
    ("line ends of old Macs", "A=b\rC=d", {"A": "b", "C": "d"}),
    ("double quotes", 'A="b"', {"A": "b"}),
    ("single quotes", "A='b'", {"A": "b"}),
    ("blanks in quotes stay", "A=' b '", {"A": " b "}),
    ("empty quotes", "A=''", {"A": ""}),
    ("one quote is not a quotation", "A='", {"A": "'"}),
    ("a number sign in quotes", 'A="b#c"', {"A": "b#c"}),
    ("a comment behind quotes", "A='b' # c", {"A": "b"}),
    ("a comment with a quote behind quotes", "A='b' # it's", {"A": "b"}),
    ("a quote that is never closed", 'A="b\nC=d', {"A": '"b', "C": "d"}),
    ("something behind the closing quote", "A='b' c", {"A": "'b' c"}),
    ("quotes around words with quotes between", """A="b" and "c\"""", {"A": 'b" and "c'}),
    ("quotes in quotes of the other kind", """A='"b"'""", {"A": '"b"'}),
    ("lines in double quotes", 'A="b\nC=d"', {"A": "b\nC=d"}),
    ("lines in single quotes", "export A='b\n\nc'\nD=e", {"A": "b\n\nc", "D": "e"}),
    ("an escaped double quote", r'A="b\"c"', {"A": 'b"c'}),
    ("an escaped single quote keeps its backslash", r"A='b\'c'", {"A": r"b\'c"}),
    ("a backslash before the last quote", "A='b\\'\nC=d", {"A": "b\\", "C": "d"}),
    ("quotes on the next line", "A=\n'b'", {"A": "b"}),
    ("no value before another name", "A=\nB=c", {"A": "", "B": "c"}),
    ("the equals sign on the next line", "A\n=b", {"A": "b"}),
    ("a colon at the end of the line takes the next one", "A:\nB=c", {"A": "B=c"}),
    ("a byte that is not a blank in Ruby", "A=\u00a0b", {"A": "\u00a0b"}),
]

EXPANSION = [
    ("a variable from above", "A=b\nC=$A", {"C": "b"}),
    ("a variable in braces", "A=b\nC=${A}d", {"C": "bd"}),
    ("a variable in double quotes", 'A=b\nC="-$A-"', {"C": "-b-"}),
    ("no variable in single quotes", "A=b\nC='$A'", {"C": "$A"}),
    ("a variable from below is empty", "C=$A.\nA=b", {"C": "."}),
    ("an unknown variable is empty", "C=$NONE.", {"C": "."}),
    ("the environment comes first", "ENV=b\nC=$ENV", {"C": "environment"}),
    ("a blank in the environment too", "BLANK=b\nC=$BLANK.", {"C": "."}),
    ("the value above, not the one below", "A=b\nC=$A\nA=d", {"C": "b", "A": "d"}),
    ("a variable that takes itself up", "A=b\nA=$A-c", {"A": "b-c"}),
    ("a chain", "A=b\nC=$A$A\nD=$C$C", {"D": "bbbb"}),
    ("defaults are not known", "C=${NONE:-d}", {"C": ":-d}"}),
    ("a closing brace belongs to the variable", "A=b\nC=$A}d", {"C": "bd"}),
    ("an escaped variable", r'C="\$A"', {"C": "$A"}),
    ("an escaped variable in braces", r"C=\${A}", {"C": "${A}"}),
    ("a dollar sign alone", "C=a $ b$", {"C": "a $ b$"}),
    ("an escaped dollar sign alone", r'C="\$ \$\$"', {"C": "$ $$"}),
    ("what is put in is not looked through again", "A='$B'\nB=c\nC=$A", {"C": "$B"}),
    ("a backslash goes", r"C=a\ b\c", {"C": "a bc"}),
    ("a backslash that makes a variable", "A=b\nC=$\\A", {"C": "b"}),
    ("backslashes in single quotes stay", r"C='a\b\n'", {"C": r"a\b\n"}),
    ("two backslashes are one", r'C="a\\b"', {"C": r"a\b"}),
    ("backslash n stays in double quotes", r'C="a\nb\rc"', {"C": r"a\nb\rc"}),
    ("backslash n loses its backslash elsewhere", r"C=a\nb", {"C": "anb"}),
    ("a command", "C=$(id)", {"C": COMMAND}),
    ("a command in double quotes", 'C="a $(id) b"', {"C": COMMAND}),
    ("a command in a command", "C=$(a $(b) c)", {"C": COMMAND}),
    ("a command in single quotes is text", "C='$(id)'", {"C": "$(id)"}),
    ("an escaped command is text", r"C=a\$(id $(b))c", {"C": "a$(id $(b))c"}),
    ("a command behind an escaped one", r"C=\$(a)$(b)", {"C": COMMAND}),
    ("a command that a variable brings in", "A='$(id)'\nC=$A", {"C": COMMAND}),
    ("a command that the environment brings in", "C=$EVIL", {"C": COMMAND}),
    ("a variable whose value is a command", "A=$(id)\nC=x$A", {"A": COMMAND, "C": COMMAND}),
    ("empty brackets are not a command", "C=$()", {"C": "$()"}),
    ("open brackets are not a command", "C=pa$(ss", {"C": "pa$(ss"}),
    ("brackets with empty ones inside are not a command", "C=$(a())", {"C": "$(a())"}),
    ("a closing bracket too many", "C=)$(a)", {"C": COMMAND}),
    ("backticks are text", "C=`id`", {"C": "`id`"}),
]


@pytest.mark.parametrize(("text", "values"), [row[1:] for row in SYNTAX], ids=[row[0] for row in SYNTAX])
def test_syntax(text: str, values: dict[str, str]) -> None:
    """Names and values are found where Ruby finds them."""
    assert read(text) == values


@pytest.mark.parametrize(("text", "values"), [row[1:] for row in EXPANSION], ids=[row[0] for row in EXPANSION])
def test_expansion(text: str, values: dict[str, str | Defect]) -> None:
    """Escapes and variables become what Ruby makes of them; commands are never executed."""
    environ = {"ENV": "environment", "BLANK": "", "EVIL": "$(id)"}
    assert {name: value for name, value in read(text, environ).items() if name in values} == values


def test_lines() -> None:
    """An assignment knows the line of its name, also behind values of several lines."""
    text = "# first\n\nA=b\r\nB='x\ny\n'\n\n  C=d\nnothing\nD=e"
    assert [(each.name, each.line) for each in parse(text)] == [("A", 3), ("B", 4), ("C", 8), ("D", 10)]


def test_only_wanted_values_are_expanded() -> None:
    """A value that is not wanted is not expanded, and so cannot be wrong."""
    document = parse("A=$(id)\nB=c")
    assert expand(document, {"B", "MISSING"}, {}) == {"B": "c"}


def test_value_of_the_largest_size() -> None:
    """A value of exactly the limit is read, one byte more is not; bytes count, not characters."""
    assert read("A=" + "x" * VALUE_BYTES) == {"A": "x" * VALUE_BYTES}
    assert read("A=" + "x" * (VALUE_BYTES + 1)) == {"A": TOO_LONG}
    assert read("A='" + "é" * (VALUE_BYTES // 2) + "x'") == {"A": TOO_LONG}


def test_expansion_bomb() -> None:
    """Doubling a value many times ends at the limit, quickly, and so do values that refer to it."""
    text = "A0=" + "x" * 1000 + "\n" + "".join(f"A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, 60))
    started = time.process_time()
    values = read(text)
    assert values["A7"] == TOO_LONG
    assert {values[f"A{n}"] for n in range(7, 60)} == {TOO_LONG, TOO_MUCH}
    assert time.process_time() - started < 5


def test_many_large_values() -> None:
    """Thousands of values that repeat a large one take no more memory than the file's limit."""
    values = read("A=" + "x" * 60_000 + "\n" + "".join(f"B{n}=$A\n" for n in range(10_000)))
    texts = [value for value in values.values() if isinstance(value, str)]
    assert sum(map(len, texts)) <= FILE_BYTES + VALUE_BYTES
    assert values["B9999"] == TOO_MUCH


@pytest.mark.parametrize(
    "text",
    [
        "\n" * FILE_BYTES,
        "A\n" * (FILE_BYTES // 2),
        "A" * FILE_BYTES,
        "A=" + " " * FILE_BYTES + "'",
        "A='\\'" * (FILE_BYTES // 5),
        "A='\\'\n" * (FILE_BYTES // 6),
        "A=\"\nB='\n" * (FILE_BYTES // 8),
        "A=" + "$(" * (VALUE_BYTES // 2),
        "export " * (FILE_BYTES // 7),
        "A:\n" * (FILE_BYTES // 3),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_slow_files(text: str) -> None:
    """Files that a backtracking expression takes minutes for are read at once."""
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 5


PIECES = st.sampled_from([*"A=\n'\"\\#) \ré:", "B=", "$A", "${B}", "$(", "export "])


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_can_be_read(text: str) -> None:
    """Every text is parsed, to values within the bounds and lines that are in the file."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert all(1 <= assignment.line <= lines for assignment in parse(text))
    assert all(isinstance(value, Defect) or len(value) <= VALUE_BYTES for value in read(text).values())


@given(st.text(alphabet=st.characters(exclude_characters="'\r\0", exclude_categories=["Cs"])))
def test_single_quotes_keep_everything(value: str) -> None:
    """Any text in single quotes is the value as it is written."""
    if not value.endswith("\\"):
        assert read(f"A='{value}'") == {"A": value}
