"""The commands and their options, as the program's own parser has them."""

from argparse import Action, ArgumentParser, _SubParsersAction  # the module names no other way to look into a parser
from collections.abc import Iterator
from typing import NamedTuple

from mastodon_update_check.cli.parser import build_parser


class Command(NamedTuple):
    """One command, or one action of a command."""

    name: str
    help: str
    epilog: str
    options: tuple[Action, ...]
    positionals: tuple[Action, ...]
    actions: tuple["Command", ...]

    def words(self) -> list[str]:
        """Return what may follow its name: its options, and its actions."""
        options = [text for option in self.options for text in option.option_strings]
        return [*(action.name for action in self.actions), *options]


def program() -> Command:
    """Return the program as one command whose actions are its commands."""
    return _command("mastodon-update-check", "", build_parser(is_status=False))


def every(command: Command) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Give each command below `command` with the words that lead to it."""
    for action in command.actions:
        yield (action.name,), action
        for words, deeper in every(action):
            yield (action.name, *words), deeper


def _command(name: str, help_: str, parser: ArgumentParser) -> Command:
    choices = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    return Command(
        name=name,
        help=help_,
        epilog=parser.epilog or "",
        options=tuple(action for action in parser._actions if action.option_strings),
        positionals=tuple(action for action in parser._actions if not action.option_strings and action not in choices),
        actions=tuple(action for choice in choices for action in _below(choice)),
    )


def _below(choice: "_SubParsersAction[ArgumentParser]") -> Iterator[Command]:
    for entry in choice._get_subactions():
        yield _command(entry.dest, entry.help or "", choice.choices[entry.dest])
