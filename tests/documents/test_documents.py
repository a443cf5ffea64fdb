"""The documents that are made from the code say what the code does."""

import re
import subprocess
from pathlib import Path

import pytest
from tools.documents import DOCUMENTS
from tools.documents.commands import every, program
from tools.documents.settings import ELSEWHERE, GROUPS

from mastodon_update_check.cli.parser import build_parser
from mastodon_update_check.config import load_settings
from mastodon_update_check.config.load import parse
from mastodon_update_check.config.settings import VARIABLES
from mastodon_update_check.config.variables import Found, Problems, is_secret, webhook_name

PROJECT = Path(__file__).parents[2]
SETTINGS = {setting.name: setting for group in GROUPS for setting in group.settings}
WEBHOOKS = [name for name in SETTINGS if webhook_name(name)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_files_are_current(name: str) -> None:
    """Each file is what `make documents` gives."""
    assert DOCUMENTS[name]() == (PROJECT / name).read_text(), "run `make documents`"


def test_every_variable() -> None:
    """Every variable is described once, and nothing else is."""
    assert len(SETTINGS) == sum(len(group.settings) for group in GROUPS)
    assert sorted(VARIABLES.keys() | set(WEBHOOKS)) == sorted(SETTINGS)
    assert sorted(name.rpartition("_")[2] for name in WEBHOOKS) == ["NAMES", "PREFERENCE", "SECRET", "URL"]


def test_defaults() -> None:
    """The documented default is the value without the variable."""
    described = {name: setting.default for name, setting in SETTINGS.items() if setting.default and name in VARIABLES}
    known = {name: Found(text, "a test") for name, text in described.items() if name not in ELSEWHERE | _DECIDED_LATER}
    problems = Problems()
    given, default = parse(known, problems), parse({}, problems)
    assert (given, []) == (default, problems.sentences)


_DECIDED_LATER = frozenset(
    (
        "UPDATE_CHECK_JITTER",  # shorter when the interval is
        *("SMTP_TLS", "SMTP_SSL"),  # only true means anything
        *("SMTP_ENABLE_STARTTLS", "SMTP_ENABLE_STARTTLS_AUTO"),  # auto is what remains
    )
)
"""Variables that have no value of their own by default."""


def test_secrets() -> None:
    """A documented secret, and only that, may be given in a file of its own."""
    assert {name for name in SETTINGS if is_secret(name)} == {n for n, each in SETTINGS.items() if each.is_secret}


def test_config_sets_nothing(tmp_path: Path) -> None:
    """As it is installed, config.env sets nothing."""
    home = {"HOME": str(tmp_path), "UPDATE_CHECK_CONFIG": str(PROJECT / "packaging" / "config.env")}
    assert set(load_settings(home).origins) == {"UPDATE_CHECK_CONFIG"}


def test_config_lines_are_valid(tmp_path: Path) -> None:
    """Each line of config.env can be switched on by taking its # away, all of them together, too."""
    lines = (PROJECT / "packaging" / "config.env").read_text().splitlines()
    switched_on = [line.removeprefix("#") for line in lines if line.startswith("#") and line[1:2].isalpha()]
    mastodons = tmp_path / "env"
    mastodons.touch()
    config = tmp_path / "config.env"
    config.write_text("\n".join(switched_on).replace("/home/mastodon/live/.env.production", str(mastodons)))
    settings = load_settings({"HOME": str(tmp_path), "UPDATE_CHECK_CONFIG": str(config)})
    assert SETTINGS.keys() <= set(settings.origins)


def test_manual() -> None:
    """The manual page has every command, every option and every setting, and no mistakes."""
    page = PROJECT / "packaging" / "mastodon-update-check.1"
    source = page.read_text()
    for words, command in every(program()):
        assert command.actions or f'.SS "{" ".join(words)}'.replace("-", "\\-") in source
        for option in command.options:
            text = option.option_strings[-1].replace("-", "\\-")
            assert re.search(rf"^\.B (.*, )?{re.escape(text)}", source, re.MULTILINE) or text == "\\-\\-help"
    assert [name for name in VARIABLES if name not in source] == []


def complete(*words: str) -> list[str]:
    """Return what bash would offer after these words, the last of which is not finished."""
    script = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mastodon_update_check; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    file = PROJECT / "packaging" / "completion" / "mastodon-update-check"
    command = ["bash", "-euc", script, "bash", str(file), "mastodon-update-check", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_bash_completion() -> None:
    """Commands, their actions and their options are offered if they fit the line."""
    assert complete("rec") == ["recipients"]
    assert "doctor" in complete("")
    assert {"--alive", "--json", "--help"} <= set(complete("status", "--"))
    assert complete("ledger", "b") == ["backup"]
    assert "--dry-run" in complete("check", "--json", "--d")
    assert complete("ledger", "backup", "nothing-like-this") == []


def test_commands_of_readme() -> None:
    """Every command line of this program in README is one that the parser accepts."""
    lines = re.findall(r"^(?:sudo )?mastodon-update-check (.*)$", (PROJECT / "README.md").read_text(), re.MULTILINE)
    commands = [line.partition("#")[0].split() for line in lines]
    assert len(commands) > 5
    for command in commands:
        build_parser(is_status=False).parse_args(command)


def test_links_of_documents() -> None:
    """Every relative link between the documents leads to a file that exists."""
    for document in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")):
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_documents_name_existing_tests() -> None:
    """A reference in the documents is `file::test`, below `tests/`; each fault in RELIABILITY.md has one."""
    documents = "".join(path.read_text() for path in (PROJECT / "docs").glob("*.md"))
    references = set(re.findall(r"`([\w./]+\.py)::(\w+)`", documents))
    assert len(references) > 50
    missing = [(file, test) for file, test in references if not _defines(PROJECT / "tests" / file, test)]
    assert missing == []
    table = (PROJECT / "docs" / "RELIABILITY.md").read_text().partition("## Faults")[2]
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith(("| **", "| fault"))]
    assert len(lines) > 30
    assert [line for line in lines if not re.search(r"`\S+\.py::\w+`", line)] == []


def _defines(path: Path, test: str) -> bool:
    return re.search(rf"^(def {test}\(|class {test}\b|{test} = )", path.read_text(), re.MULTILINE) is not None
