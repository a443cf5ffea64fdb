"""Version files that cannot be read: beyond our Ruby, or no files at all."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from domain.examples import cases
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.mastodon.tree import read_tree_version
from simulators.mastodon_tree import configured, flags, parts, settings, write_tree

LOOP = {"suffix": "flags", "flags": "suffix"}
BOMB = {"suffix": "\n".join(["a = 'xxxxxxxxxx'", *['a = "#{a}#{a}"'] * 20, "a"])}
LISTS = {"to_s": "\n".join(["a = ['']", *["a << ''"] * 2_000, "a.join"])}


@cases(
    "source fault",
    ("a renamed part", parts("4.3.0", to_a="[upstream_major]"), "'upstream_major' is not defined there"),
    ("a helper", parts("4.3.0", prerelease="read_commit"), "'read_commit' is not defined there"),
    ("a program", parts("4.3.0", prerelease="`git describe`"), "is not understood"),
    ("a conflict of a merge", flags("4.1.0", suffix="<<<<<<< HEAD\n      ''"), "is not understood"),
    (
        "a condition over lines",
        flags("4.1.0", suffix="if true\n 'a'\n else\n 'b'\n end"),
        "'if true' is not understood",
    ),
    ("a symbol", flags("4.1.0", suffix=":a"), "':a' is not understood"),
    ("a variable's name in a variable", flags("4.1.0", suffix="ENV[name]"), "'ENV' is not defined there"),
    ("a call without brackets", flags("4.1.0", suffix="ENV.fetch 'X'"), "'ENV' is not defined there"),
    ("another method", flags("4.1.0", suffix="'a'.reverse"), "the method 'reverse' is not known"),
    ("no to_s", "module Mastodon\nend\n", "has no method 'to_s'"),
    ("an empty file", "", "has no method 'to_s'"),
    ("methods that call each other", flags("4.1.0", **LOOP), "calls itself"),
    ("a text that grows", flags("4.1.0", **BOMB), "a text is too long"),
    ("a list that grows", flags("4.1.0", **LISTS), "too long"),
    ("deep brackets", flags("4.1.0", suffix="[" * 20_000), "is not understood"),
    ("brackets on one line", flags("4.1.0", suffix="[" * 290), "too deep"),
    ("a list for a text", flags("4.1.0", suffix="[1]"), "a list or a condition is used as a text"),
    ("a text for a list", flags("4.1.0", suffix="'a'.join"), "the method 'join' is not known"),
    ("half a statement", flags("4.1.0", suffix="a ="), "'the end' is not understood"),
    ("another setting", flags("4.1.0", suffix="Rails.configuration[:x]"), "'Rails' is not defined there"),
    ("an escaped quote", flags("4.1.0", suffix="'it\\'s'"), "is not understood"),
    ("a number that is none", flags("4.1.0", to_s="'latest'"), "expected three numbers at the start"),
    ("a version of 900 characters", flags("4.1.0", suffix=f"'{'x' * 200}'"), "a version of 205 characters"),
)
def test_unknown_ruby_is_not_a_version(source: str, fault: str, tmp_path: Path) -> None:
    """The error names the file, the Ruby that is not understood, and the way out; nothing is guessed or run."""
    assert_unreadable(write_tree(tmp_path, source), fault)


def assert_unreadable(
    root: Path, fault: str, environment: Mapping[str, str] | None = None, name: str = "version.rb"
) -> None:
    """Check the error that an administrator sees."""
    with pytest.raises(CheckError) as caught:
        read_tree_version(root, environment or {})
    assert caught.value.cause == Cause.VERSION
    assert fault in caught.value.detail
    assert name in caught.value.detail
    assert caught.value.detail.endswith("UPDATE_CHECK_MASTODON_VERSION can say the version instead")


def test_no_tree(tmp_path: Path) -> None:
    """The error says that the root is wrong."""
    for root in (tmp_path, tmp_path / "nowhere"):
        assert_unreadable(root, "does not exist: UPDATE_CHECK_MASTODON_ROOT must be Mastodon's tree")


def test_tree_may_be_a_link(tmp_path: Path) -> None:
    """Some deployments switch a link from release to release."""
    write_tree(tmp_path / "releases" / "7", flags("4.1.9"))
    (tmp_path / "live").symlink_to(tmp_path / "releases" / "7")
    assert read_tree_version(tmp_path / "live", {}).text == "4.1.9"


@pytest.mark.parametrize("name", ["lib", "lib/mastodon", "lib/mastodon/version.rb"])
def test_links_within_the_tree_are_not_followed(name: str, tmp_path: Path) -> None:
    """The tree belongs to another user, who could point us to any file or device."""
    root = write_tree(tmp_path / "live", flags("4.1.9"))
    (root / name).rename(tmp_path / "elsewhere")
    (root / name).symlink_to(tmp_path / "elsewhere")
    assert_unreadable(root, "it is a symbolic link")


@pytest.mark.parametrize(("make", "fault"), [(os.mkfifo, "is not a regular file"), (Path.mkdir, "it is a directory")])
def test_pipe_or_directory_is_not_a_file(make: Callable[[Path], None], fault: str, tmp_path: Path) -> None:
    """A pipe without a writer would be waited for, for ever; the error says what is in the file's place."""
    root = write_tree(tmp_path, flags("4.1.9"))
    (root / "lib/mastodon/version.rb").unlink()
    make(root / "lib/mastodon/version.rb")
    assert_unreadable(root, fault)


def test_bytes_that_are_not_utf_8_do_no_harm(tmp_path: Path) -> None:
    """The author of a fork may have an editor with another encoding."""
    path = write_tree(tmp_path, flags("4.1.9")) / "lib/mastodon/version.rb"
    path.write_bytes(b"# caf\xe9 \x00\n" + path.read_bytes())
    assert read_tree_version(tmp_path, {}).text == "4.1.9"


def test_long_file_is_not_read(tmp_path: Path) -> None:
    """64 KiB are more than any version file has."""
    assert_unreadable(write_tree(tmp_path, flags("4.1.9") + "#" * 65_536), "is longer than 65,536 bytes")


def test_file_that_may_not_be_read() -> None:
    """The service user lacks the permission; root, who may read everything, gives up its privileges for it."""
    with tempfile.TemporaryDirectory() as directory:
        root = write_tree(Path(directory), flags("4.1.9"))
        Path(directory).chmod(0o755)
        (root / "lib/mastodon/version.rb").chmod(0)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65_534)
        try:
            assert_unreadable(root, "cannot be read: permission denied")
        finally:
            os.seteuid(before)


@pytest.mark.parametrize("value", ["<%= `git describe` %>", "<%= %x(date) %>", '"half'])
def test_settings_file_beyond_us(value: str, tmp_path: Path) -> None:
    """The settings file, too, is read by the same few words."""
    assert_unreadable(
        write_tree(tmp_path, configured("4.7.0"), settings("", value)), "not understood", name="mastodon.yml"
    )


def test_environment_is_not_a_version(tmp_path: Path) -> None:
    """A pre-release from the environment is checked like the rest."""
    environment = {"MASTODON_VERSION_PRERELEASE": "\N{SNOWMAN}"}
    assert_unreadable(write_tree(tmp_path, parts("4.3.0")), "expected printable ASCII", environment)


@pytest.mark.parametrize("value", ["<%= `git describe` %>", '"half'])
def test_metadata_of_the_settings_file_is_left_out(value: str, tmp_path: Path) -> None:
    """Build metadata never makes a version unreadable."""
    assert read_tree_version(write_tree(tmp_path, configured("4.7.0"), settings(value)), {}).text == "4.7.0"


PATTERNS = (*'"[ \n', *["<%=", "def a; ", " ;", "'#{", "#{", "a[", "if ", "||", "<< ", "def ", "A=", "version[:", ".a"])


def seconds_for(root: Path) -> float:
    """Return the processor's time for reading a tree's version."""
    began = time.process_time()
    with contextlib.suppress(CheckError):
        read_tree_version(root, {})
    return time.process_time() - began


def assert_linear(write: Callable[[int], Path]) -> None:
    """Four times as much text may take eight times as long, where quadratic work would take sixteen times."""
    short, long = (seconds_for(write(size)) for size in (15_000, 60_000))
    assert long < 8 * max(short, 0.05)


@pytest.mark.parametrize("piece", PATTERNS)
@pytest.mark.parametrize("width", [60_000, 290])
def test_hostile_line_is_read_in_linear_time(piece: str, width: int, tmp_path: Path) -> None:
    """A file of 60 KB, on one line or on many."""

    def write(size: int) -> Path:
        line = (piece * width)[: min(width, size)]
        body = "\n".join([line] * (size // len(line)))
        return write_tree(tmp_path, flags("4.1.9", suffix=body), f"shared:\n  version:\n    prerelease: {body}\n")

    assert_linear(write)


LONG_LISTS = {"a pattern within a list": "version" * 40, "a list of short lines": "1,", "lists in lists": "["}


@pytest.mark.parametrize("line", LONG_LISTS.values(), ids=LONG_LISTS)
def test_hostile_list_is_read_in_linear_time(line: str, tmp_path: Path) -> None:
    """Its lines are one statement; a method with it can be called by each line of another one."""

    def write(size: int) -> Path:
        lines = "\n".join([line] * (size // (len(line) + 1)))
        calls = "x = a\n" * 200
        return write_tree(tmp_path, f"def a\n[\n{lines}\nend\ndef to_s\n{calls}end\n")

    assert_linear(write)
