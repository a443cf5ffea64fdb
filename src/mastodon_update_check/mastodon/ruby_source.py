"""Where the words of a Ruby file begin and end: its methods, and the tokens of their bodies."""

import itertools
import re
from typing import NoReturn

from mastodon_update_check.domain.text import clean
from mastodon_update_check.mastodon.ruby_values import UnreadableError

_METHOD = re.compile(r"(?P<indent>\s*)def (?:self\.)?(?P<name>\w+[?!]?)(?:\(\))?\s*(?:#.*)?")
_SHORT = re.compile(r"\s*def (?:self\.)?(?P<name>\w+[?!]?)(?:(?:\(\))?\s*=\s*(?P<body>.+)|\s*;(?P<inner>.+);\s*end\s*)")
_CONSTANT = re.compile(r"\s*(?P<name>[A-Z]\w*)\s*=(?P<body>.+)")
_TOKEN = re.compile(
    r"""(?P<space>(?:[ \t\r]|\#[^\n]*)+)
    | '[^'\\\n]*' | "(?:[^"\\\n#]|\#\{[^{}\n]*\}|\#(?!\{))*"
    | [0-9]{1,9}\b | :[a-z_]+ | [A-Za-z_]\w*[?!]? | \|\| | << | &\. | [\n;\[\](){}.,+=]""",
    re.VERBOSE,
)


def find_methods(source: str) -> dict[str, str]:
    """Return the bodies of a file's methods and constants by name; the last of a name counts, as in Ruby."""
    found: dict[str, str] = {}
    lines = iter([line.rstrip() for line in source.splitlines()])
    for line in lines:
        if short := _SHORT.fullmatch(line) or _CONSTANT.fullmatch(line):
            groups = short.groupdict()
            found[groups["name"]] = groups["body"] or groups["inner"]
        elif start := _METHOD.fullmatch(line):
            end = start["indent"] + "end"
            found[start["name"]] = "\n".join(itertools.takewhile(end.__ne__, lines))
    return found


def tokenise(source: str) -> list[str]:
    """Return the words and marks of a piece of Ruby, without blanks and comments; line ends count."""
    tokens, at = [], 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            not_understood(source[at : at + 20])
        if match["space"] is None:
            tokens.append(match[0])
        at = match.end()
    return tokens


def not_understood(token: str) -> NoReturn:
    """Say which word is beyond us."""
    raise UnreadableError(f"{clean(token, 40)!r} is not understood")
