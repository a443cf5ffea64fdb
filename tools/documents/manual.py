"""The manual page, mastodon-update-check(1)."""

from argparse import Action
from collections.abc import Iterator

from tools.documents.commands import Command, every, program
from tools.documents.settings import GROUPS, SOURCES, Setting

_FILES = {
    "/etc/mastodon-update-check/config.env": "the settings",
    "/etc/mastodon-update-check/NAME.env": "those of mastodon-update-check@NAME, one of several servers on this host",
    "/var/lib/mastodon-update-check/ledger.sqlite3": "the ledger of planned and sent notices",
    "/usr/local/lib/mastodon-update-check": "further sinks",
}
_SIGNALS = {
    "SIGHUP": "reads the settings again; wrong ones change nothing, and are logged",
    "SIGTERM, SIGINT": "finish open attempts, within ten seconds, and exit; a second signal exits at once",
}
_EXIT_CODES = {
    "0": "done",
    "2": "wrong usage",
    "70": "a bug in this program",
    "74": "the ledger cannot be used",
    "78": "the settings are wrong (status: 3)",
}
_DESCRIPTION = (
    """Runs beside a Mastodon server. Every 30 minutes it asks the update server which releases are newer than the
installed one, and notifies the server's administrators by mail, webhook and log of urgent fixes, patches, new versions
and the end of support. Each notice is stored before it is sent, retried until it is accepted, and then never sent
again.""",
    "It runs nothing of Mastodon's and changes nothing of Mastodon's. As root, begin with mastodon-update-check setup.",
)


def manual_page() -> str:
    """Return the source of the page, in the language of man(7)."""
    whole = program()
    lines = [
        '.\\" Made from the code by "make documents".',
        '.TH MASTODON\\-UPDATE\\-CHECK 1 "" mastodon\\-update\\-check "Mastodon administration"',
        ".SH NAME",
        "mastodon\\-update\\-check \\- notifies the administrators of a Mastodon server about updates",
        ".SH SYNOPSIS",
        ".B mastodon\\-update\\-check",
        ".I COMMAND",
        "[OPTION...]",
        ".SH DESCRIPTION",
        *_paragraphs(_DESCRIPTION),
        ".SH COMMANDS",
        *(line for words, command in every(whole) for line in _command(words, command)),
        ".SH EXIT STATUS",
        "Of every command; some have further ones of their own, see above.",
        *_list(_EXIT_CODES),
        ".SH SETTINGS",
        *_paragraphs(SOURCES),
        *(line for group in GROUPS for line in _settings(group.title, group.introduction, group.settings)),
        ".SH SIGNALS",
        "The running service takes these:",
        *_list(_SIGNALS),
        ".SH FILES",
        *_list(_FILES),
        ".SH SEE ALSO",
        ".BR systemctl (1),",
        ".BR journalctl (1)",
    ]
    return "\n".join(lines) + "\n"


def _command(words: tuple[str, ...], command: Command) -> Iterator[str]:
    if command.actions:  # each of them has an entry of its own
        return
    name = " ".join(words)
    yield from (f'.SS "{_escaped(" ".join([name, *map(_usage, command.positionals)]))}"', _sentence(command.help))
    for argument in (*command.positionals, *command.options):
        if "--help" not in argument.option_strings:
            yield from _entry(", ".join(argument.option_strings) or _usage(argument), argument.help or "")
    if command.epilog:
        yield from (".PP", _escaped(command.epilog))


def _usage(argument: Action) -> str:
    """Write an argument as `--help` does."""
    name = str(argument.metavar or argument.dest)
    return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}.get(str(argument.nargs), name)


def _settings(title: str, introduction: str, settings: tuple[Setting, ...]) -> Iterator[str]:
    yield f'.SS "{_escaped(title)}"'
    if introduction:
        yield _escaped(introduction)
    for setting in settings:
        default = f" By default {setting.default}" if setting.default else ""
        example = f" For example {setting.example}" if setting.example else ""
        yield from _entry(setting.name, f"{setting.meaning}{default or example}")


def _list(entries: dict[str, str]) -> Iterator[str]:
    for name, meaning in entries.items():
        yield from _entry(name, meaning)


def _entry(name: str, meaning: str) -> Iterator[str]:
    yield from (".TP", f".B {_escaped(name)}", _sentence(meaning))


def _paragraphs(texts: tuple[str, ...]) -> Iterator[str]:
    for text in texts:
        yield from (".PP", _escaped(text))


def _sentence(text: str) -> str:
    """Begin with a capital letter and end with a full stop, as a line that stands for itself does."""
    return _escaped(f"{text[:1].upper()}{text[1:]}".removesuffix(".") + ("" if text.endswith(("?", ":")) else "."))


def _escaped(text: str) -> str:
    """Write a text so that man(7) takes none of it for a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("`", "")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
