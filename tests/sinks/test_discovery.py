"""Finding sinks among what is installed, other packages' included."""

from pathlib import Path

import pytest

from domain.examples import cases
from mastodon_update_check.errors import SettingsError
from mastodon_update_check.sinks.discovery import load_sink
from sinks.examples import MESSAGE

SINK = """
sent = []
class Sink:
    def __init__(self, options):
        self.options = options
    def send(self, message):
        sent.append(message)
        return "taken"
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that packages are found in."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(packages: Path, distribution: str, plugin: str, source: str, target: str = "Sink") -> None:
    """Put a package there, as an installer would: a module, and the metadata that names its sink."""
    module = distribution.replace("-", "_")
    (packages / f"{module}.py").write_text(source)
    metadata = packages / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[mastodon_update_check.sinks]\n{plugin} = {module}:{target}\n")


def problem(plugin: str, **options: str) -> str:
    """Return what is wrong with a sink."""
    with pytest.raises(SettingsError) as caught:
        load_sink(plugin, options)
    [sentence] = caught.value.problems
    return sentence


def test_another_package(packages: Path) -> None:
    """A sink of another package gets its options, and sends."""
    install(packages, "pager-sink", "pager", SINK)
    install(packages, "broken-sink", "broken", "raise RuntimeError('at import')")  # it is not configured

    sink = load_sink("pager", {"number": "110"})

    assert sink.options == {"number": "110"}  # type: ignore[attr-defined]  # the package's own
    assert sink.send(MESSAGE) == "taken"


def test_unknown(packages: Path) -> None:
    """A name that no package offers is refused; a factory's own words stand behind its package."""
    install(packages, "paging-sink", "paging", SINK)

    assert problem("fax") == "no installed package has a sink 'fax'"
    said = "the sink 'apprise' of mastodon-update-check: the sink 'apprise' needs UPDATE_CHECK_APPRISE_URL"
    assert problem("apprise", url="") == said


@cases(
    "name others offered",
    ("two other packages", "twice", ("first-sink", "second-sink"), "first-sink and second-sink"),
    ("a name of ours", "log", ("usurping-sink",), "mastodon-update-check and usurping-sink"),
)
def test_offered_twice(packages: Path, name: str, others: tuple[str, ...], offered: str) -> None:
    """Of two packages with the same name neither wins, not even unseen; both are named."""
    for package in others:
        install(packages, package, name, SINK)

    assert problem(name) == f"the sink '{name}' is offered by {offered}; remove all but one of them"


@pytest.mark.parametrize(
    ("number", "source", "why"),
    [
        (1, "import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        (2, "1 +", "SyntaxError: invalid syntax (import_fault_2.py, line 1)"),
        (3, "raise SystemExit('leaving')", "SystemExit: leaving"),
        (4, "raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        (5, "other = 1", "AttributeError: module 'import_fault_5' has no attribute 'Sink'"),
        (6, "def Sink(options): return None", "TypeError: it makes an object without a method send()"),
    ],
)
def test_import_fails(packages: Path, number: int, source: str, why: str) -> None:
    """A package that cannot be imported, or makes no sink, is named, with the reason and the remedy."""
    install(packages, f"import-fault-{number}", "faulty", source)

    assert problem("faulty") == (
        f"the sink 'faulty' of import-fault-{number} cannot be set up ({why}); "
        f"repair, update or remove import-fault-{number}, or take 'faulty' out of UPDATE_CHECK_SINKS"
    )


def test_factory_fails(packages: Path) -> None:
    """A factory that raises is named, with the remedy, and does not show the options."""
    install(packages, "factory-fault", "factory", "def Sink(options):\n    raise ValueError(f'bad: {options}')")

    sentence = problem("factory", token="swordfish")

    assert sentence == (
        "the sink 'factory' of factory-fault cannot be set up (ValueError: bad: {'token': '…'}); "
        "repair, update or remove factory-fault, or take 'factory' out of UPDATE_CHECK_SINKS"
    )
