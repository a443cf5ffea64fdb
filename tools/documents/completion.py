"""Completion for shells: commands, their actions and their options."""

from tools.documents.commands import Command, every, program

_HEAD = '# Made from the code by "make documents".'


def bash() -> str:
    """Return the file for bash; it needs nothing but bash."""
    whole = program()
    cases = [f'    "{" ".join(words)}") words="{" ".join(command.words())}" ;;' for words, command in every(whole)]
    lines = [
        _HEAD,
        "_mastodon_update_check() {",
        '  local words="" current="${COMP_WORDS[COMP_CWORD]}" path="" word',
        '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        '    case "$word" in -*) ;; *) path="${path:+$path }$word" ;; esac',
        "  done",
        '  case "$path" in',
        f'    "") words="{" ".join(whole.words())}" ;;',
        *cases,
        "  esac",
        '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
        "}",
        "complete -o default -F _mastodon_update_check mastodon-update-check",
    ]
    return "\n".join(lines) + "\n"


def zsh() -> str:
    """Return the file for zsh."""
    whole = program()
    lines = [
        "#compdef mastodon-update-check",
        _HEAD,
        'local path="" word',
        'for word in "${(@)words[2,CURRENT-1]}"; do',
        '  [[ "$word" = -* ]] || path="${path:+$path }$word"',
        "done",
        "local -a candidates",
        'case "$path" in',
        f"  '') candidates=({_described(whole)}) ;;",
        *(f"  {_quote(' '.join(words))}) candidates=({_described(command)}) ;;" for words, command in every(whole)),
        "esac",
        "_describe mastodon-update-check candidates || _files",
    ]
    return "\n".join(lines) + "\n"


def fish() -> str:
    """Return the file for fish."""
    lines = [_HEAD, "function __mastodon_update_check_at", "  set -l words (commandline -opc)"]
    lines += ["  set -l path", "  for word in $words[2..]", "    string match -q -- '-*' $word; or set -a path $word"]
    lines += ["  end", '  test "$path" = "$argv[1]"', "end"]
    for words, command in (((), program()), *every(program())):
        condition = f'"__mastodon_update_check_at {_quote(" ".join(words))}"'
        for word, meaning in _candidates(command):
            kind = (
                f"-l {word[2:]}" if word.startswith("--") else f"-s {word[1:]}" if word[0] == "-" else f"-f -a {word}"
            )
            lines.append(f"complete -c mastodon-update-check -n {condition} {kind} -d {_quote(meaning)}")
    return "\n".join(lines) + "\n"


def _kind(word: str) -> str:
    """Say to fish what a word is: a long option, a short one, or a command."""
    if word.startswith("--"):
        return f"-l {word[2:]}"
    return f"-s {word[1:]}" if word.startswith("-") else f"-f -a {word}"


def _candidates(command: Command) -> list[tuple[str, str]]:
    """Return each word that may follow a command, and what it means."""
    actions = [(action.name, action.help) for action in command.actions]
    return actions + [(text, option.help or "") for option in command.options for text in option.option_strings]


def _described(command: Command) -> str:
    return " ".join(_quote(f"{word}:{meaning}") for word, meaning in _candidates(command))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "'\\''")
    return f"'{escaped}'"
