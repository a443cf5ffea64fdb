"""One machine for each story and release; a line for each scenario; the figures at the end."""

import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from acceptance.images import BUILD, image
from acceptance.machine import Machine
from acceptance.program import Program
from acceptance.site import Site

RELEASES = ("bookworm", "trixie")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take what to show, and where."""
    group = parser.getgroup("acceptance")
    group.addoption("--package-directory", type=Path, default=BUILD / "package", help="a directory with the package")
    group.addoption("--releases", default=",".join(RELEASES), help="Debian releases, separated by commas")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every story on every release; a story has a process of its own (`--dist loadscope`)."""
    if "release" in metafunc.fixturenames:
        metafunc.parametrize("release", metafunc.config.getoption("--releases").split(","), scope="module")


@pytest.fixture(scope="session")
def packages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The package, and the same with a higher version."""
    directory = request.config.getoption("--package-directory")
    (package,) = directory.glob("mastodon-update-check_*.deb")
    work = tmp_path_factory.mktemp("next")
    script = """
    dpkg-deb --raw-extract "$1" tree
    sed -i 's/^Version: .*/&+next/' tree/DEBIAN/control
    dpkg-deb --root-owner-group -Znone --build tree . > /dev/null
    """
    subprocess.run(("sh", "-eu", "-c", script, "-", package.resolve()), check=True, cwd=work)
    (following,) = work.glob("*.deb")
    return package, following


@pytest.fixture(scope="module")
def machine(request: pytest.FixtureRequest, release: str) -> Iterator[Machine]:
    """A booted machine of this story's own."""
    name = f"{release}-{Path(request.module.__file__).stem.removeprefix('test_')}"
    root = image(release, getattr(request.module, "IMAGE", "server"))
    with Machine(name, root, BUILD / "machines" / name) as machine:
        yield machine


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, machine: Machine) -> Site:
    """The Mastodon server in it."""
    return Site(machine, getattr(request.module, "ROOT", "/home/mastodon/live"))


@pytest.fixture(scope="module")
def program(machine: Machine, site: Site, packages: tuple[Path, Path]) -> Program:  # noqa: ARG001 - it comes after the site
    """What is to be shown, not installed yet."""
    return Program(machine, packages)


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """Count as ever, but leave the line to `Lines`."""
    if report.failed:
        return ("failed", "", "FAILED") if report.when == "call" else ("error", "", "ERROR")
    return ("passed", "", "") if report.when == "call" else ("", "", "")


class Lines:
    """One line for each scenario, and the figures that scenarios have noted."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager
        self._figures: list[str] = []

    @property
    def _terminal(self) -> pytest.TerminalReporter:
        terminal = self._plugins.get_plugin("terminalreporter")
        assert isinstance(terminal, pytest.TerminalReporter)
        return terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say how a scenario ended and how long it took."""
        properties = dict(report.user_properties)
        self._terminal.ensure_newline()
        if report.when == "call" or report.failed:
            word = "ok    " if report.passed else "FAILED"
            self._terminal.write_line(f"{word} {report.duration:6.1f} s  {properties['title']}")
        if report.when == "call":
            self._figures += [
                f"{properties['release']}: {value}" for name, value in report.user_properties if name == "figure"
            ]

    def pytest_terminal_summary(self) -> None:
        """Print the figures."""
        if self._figures:
            self._terminal.section("figures")
            for figure in sorted(self._figures, key=lambda line: line.partition(":")[0]):
                self._terminal.write_line(figure)


def pytest_configure(config: pytest.Config) -> None:
    """Print lines where the terminal is: in the process that hands out the work."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Lines(config))


_ended: dict[tuple[str, str], str] = {}
"""The story and release of a scenario on which all others stand, and which failed."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the service said before something failed; end the story when everything else stands on that."""
    report = yield
    machine = item.funcargs.get("machine") if isinstance(item, pytest.Function) else None
    if report.failed and isinstance(machine, Machine):
        said = machine.run("journalctl --no-pager --lines=60 --output=short-iso-precise -u 'mastodon-*'").out
        report.sections.append(("journal", said))
    if report.failed and item.name.startswith(("test_install", "test_setup[")):
        properties = {name: str(value) for name, value in item.user_properties}
        _ended[item.path.stem.removeprefix("test_"), properties["release"]] = properties["title"]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Name the scenario by its sentence."""
    release = item.callspec.params.get("release", "") if hasattr(item, "callspec") else ""
    sentence = (item.obj.__doc__ or item.name).partition("\n")[0] if hasattr(item, "obj") else item.name
    story = item.path.stem.removeprefix("test_")
    item.user_properties += [("release", release), ("title", f"{release:8}  {story}: {sentence}")]
    if _ended.get((story, release)):
        pytest.fail(f"the story ended before: {_ended[story, release]}")
