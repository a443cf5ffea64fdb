"""Finding Mastodon, and deciding how its version is seen, on hosts that may be hostile."""

import os
import stat
from pathlib import Path

import pytest

from install.host import ROOT, Host, refused
from mastodon_update_check.config.dotenv import EnvFiles
from mastodon_update_check.install.copying import DATABASE, SHOWN_DIRECTORIES, values_of
from mastodon_update_check.install.database import Server
from mastodon_update_check.install.discovery import Access, Installation, Mode, decide_access, examine, find_roots
from mastodon_update_check.install.plan import (
    SetupPlan,
    find_role,
    path_drop_in,
    service_drop_in,
    with_block,
    without_block,
)
from mastodon_update_check.install.steps import Steps

DIRECTORY, FILE = stat.S_IFDIR, stat.S_IFREG
MASTODON, WEB = 1001, 33
GROUPS = {MASTODON: "mastodon", WEB: "www-data"}


def roots(host: Host) -> list[str]:
    """Return the trees that are found."""
    return list(map(str, find_roots(host.machine)))


def test_tree_of_a_unit_is_found(host: Host) -> None:
    """The directory of a unit of Mastodon's web server, wherever it is; another program's is none."""
    host.install("LOCAL_DOMAIN=social.example\n", Path("/srv/social"))
    host.add_web_unit("social-web.service", Path("/srv/social"))
    host.add_web_unit("paperless-web.service", Path("/opt/paperless"))
    assert roots(host) == ["/srv/social"]
    found = examine(host.machine, Path("/srv/social"))
    assert (str(found.root), found.unit) == ("/srv/social", "social-web.service")
    assert found.variables == {"LOCAL_DOMAIN": "social.example"}


def test_trees_in_usual_places_are_found(host: Host) -> None:
    """The tree of Mastodon's own guide, and YunoHost's, several of them."""
    places = ["/home/mastodon/live", "/var/www/mastodon/live", "/var/www/mastodon__2/live"]
    for place in places:
        host.install("", Path(place))
    assert places == roots(host)


def test_tree_with_two_paths_is_one_installation(host: Host) -> None:
    """A tree with a unit in a usual place, or reached by a link too, is one installation."""
    host.install("")
    host.add_web_unit("mastodon-web.service")
    host.real(Path("/var/www/mastodon")).mkdir()
    host.real(Path("/var/www/mastodon/live")).symlink_to(host.real(ROOT))
    assert roots(host) == ["/home/mastodon/live"]


@pytest.mark.parametrize(
    "unit", ["mastodon_web.service", "mastodon-puma.service", "social-web.service", "x-web@3000.service"]
)
def test_other_names_of_the_unit(host: Host, unit: str) -> None:
    """Web servers have units of several names; all of them name the tree, wherever it is."""
    host.install("", Path("/srv/social"))
    host.add_web_unit(unit, Path("/srv/social"))
    assert roots(host) == ["/srv/social"]
    assert examine(host.machine, Path("/srv/social")).unit == unit


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/shadow", "/proc/self/environ"])
def test_version_file_as_a_link(host: Host, target: str) -> None:
    """A version file that is a link, to a device or a secret, makes no installation, and is not opened."""
    tree = host.install("")
    (tree / "lib/mastodon/version.rb").unlink()
    (tree / "lib/mastodon/version.rb").symlink_to(target)
    assert roots(host) == []
    assert "no Mastodon was found on this host" in refused(host)


@pytest.mark.parametrize("name", ["a%b", 'a"b', "a'b", "a b", "a\nb", "a:b", "a$b", "a\\b", "ä"])
def test_path_with_special_characters_is_refused(host: Host, name: str) -> None:
    """A path that a unit, libpq or a file of settings would read in another way is refused; nothing is written."""
    host.install("LOCAL_DOMAIN=social.example\n", Path("/srv", name))
    assert "has characters with a meaning in a unit" in refused(host, root=Path("/srv", name))
    assert {path: text for path, text in host.files().items() if name not in path} == {}


@pytest.mark.parametrize("root", ["home/mastodon/live", "/nowhere", "/home"])
def test_path_without_a_tree_is_refused(host: Host, root: str) -> None:
    """A path that --root names must be a tree of Mastodon."""
    host.install("")
    assert "is not a tree of Mastodon's: it has no lib/mastodon/version.rb" in refused(host, root=Path(root))


def test_tree_that_changes_meanwhile(host: Host, tmp_path: Path) -> None:
    """A tree that is exchanged for a link to another user's is refused when it is used, not only when it was found."""
    tree = host.install("")
    (found,) = find_roots(host.machine)
    tree.rename(tmp_path / "aside")
    tree.symlink_to("/etc")
    if os.getuid() == 0:
        os.chown(tree, 54_321, 54_321, follow_symlinks=False)
    assert "is not a tree of Mastodon's" in refused(host, root=found)


HOME, DATA = Path("/home/mastodon/live"), Path("/data/mastodon/live")
OPEN = ((DIRECTORY | 0o755, MASTODON), (FILE | 0o644, MASTODON))
YUNOHOST = ((DIRECTORY | 0o750, WEB), (FILE | 0o640, WEB))
LOCKED = ((DIRECTORY | 0o755, MASTODON), (FILE | 0o600, MASTODON))
DOCKER = ((DIRECTORY | 0o755, MASTODON), (FILE | 0o640, 999))
MIXED = ((DIRECTORY | 0o750, MASTODON), (FILE | 0o640, WEB))


@pytest.mark.parametrize(
    ("trees", "needed", "expected"),
    [
        pytest.param([HOME], OPEN, Access(is_readable=True), id="as in Mastodon's guide"),
        pytest.param([HOME], YUNOHOST, Access(is_readable=True, group="www-data"), id="as YunoHost has it"),
        pytest.param([HOME], LOCKED, Access(is_readable=False), id="only its owner may read it"),
        pytest.param(
            [HOME], DOCKER, Access(is_readable=False), id="a group that its owner may have chosen to get us into"
        ),
        pytest.param([HOME], MIXED, Access(is_readable=False), id="two groups"),
        pytest.param([DATA], OPEN, Access(is_readable=True, hidden=(Path("/data"),)), id="elsewhere"),
        pytest.param([Path("/usr/local/live")], OPEN, Access(is_readable=True, hidden=(Path("/usr/local/live"),))),
        pytest.param([Path("/usr")], OPEN, Access(is_readable=False), id="a directory that the service needs"),
        pytest.param([HOME.parent, DATA], OPEN, Access(is_readable=True, hidden=(Path("/data"),)), id="a link"),
    ],
)
def test_access(trees: list[Path], needed: tuple[Mode, ...], expected: Access) -> None:
    """The modes of the version's files decide which group the unit gets, and its place which directory is hidden."""
    assert decide_access(trees, needed, GROUPS) == expected


def test_drop_in() -> None:
    """The version's directories are shown, the rest of the tree is hidden; a group is lent only if it takes one."""
    access = Access(is_readable=True, group="www-data", hidden=(Path("/data"),))
    text = service_drop_in(Path("/data/live"), Path("/run/x/tree"), access)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == [
        "[Service]",
        "TemporaryFileSystem=/data:ro",
        "BindReadOnlyPaths=-/run/x/tree:/data/live",
        "NoExecPaths=-/data/live",
        *(f"NoExecPaths=-/data/live/{directory}" for directory in SHOWN_DIRECTORIES),
        "SupplementaryGroups=www-data",
    ]
    assert service_drop_in(Path("/home/x"), Path("/run/x/tree"), Access(is_readable=False)).splitlines()[1:] == [
        "[Service]"
    ]


def test_path_drop_in() -> None:
    """The path unit watches the tree of this host instead of the usual one."""
    assert path_drop_in(Path("/srv/live")).splitlines()[1:] == ["[Path]", "PathChanged=", "PathChanged=/srv/live"]


def test_record_of_the_role() -> None:
    """The block names the server with our role, in a comment where the administrator has another login."""
    role = Server(directory="/run/p", port=5433, name="m.x")
    texts = [with_block("", {DATABASE: role.login}, role), with_block(f"{DATABASE}=dbname=x\n", {}, role)]
    assert [find_role(text) for text in texts] == [role, role]
    assert values_of(without_block(texts[1])) == values_of(texts[1]) == {DATABASE: "dbname=x"}
    assert find_role(without_block(texts[0])) is None
    assert find_role(f"{DATABASE}='{role.login}'\n") is None


@pytest.mark.parametrize("text", ["", "A=1\n", "A=1", "A=1\n\n# the end\n", "A='1\n2'\n"])
def test_own_lines_survive_the_block(text: str) -> None:
    """The administrator's own lines survive the block and its removal; a block replaces the one before."""
    once = with_block(text, {"UPDATE_CHECK_MASTODON_ROOT": "/x", "A": "2"})
    assert once == with_block(once, {"UPDATE_CHECK_MASTODON_ROOT": "/x", "A": "2"})
    assert without_block(once).rstrip("\n") == text.rstrip("\n")
    assert ("A='2'" in once) == (text == "")
    assert "/x" not in with_block(once, {"UPDATE_CHECK_MASTODON_ROOT": "/y"})


def test_values_that_cannot_be_written(host: Host) -> None:
    """A value of Mastodon's unit that would mean something else in our file is left out, and that is said."""
    environment = {"SMTP_PASSWORD": "it's", "WEB_DOMAIN": "m.social.example\nUPDATE_CHECK_LEDGER=/etc/passwd"}
    installation = Installation(
        root=ROOT,
        unit="mastodon-web.service",
        owner="mastodon",
        access=Access(is_readable=True),
        files=EnvFiles(),
        unit_environment=environment,
        environment_files=(),
    )
    place = host.machine.place()
    plan = SetupPlan(place=place, installation=installation, server="it is stopped", config="", drop_ins={})
    shown = " ".join((*map(str, plan.preparations(Steps(host.machine, place))), plan.new_config, *plan.remarks()))
    assert "LEDGER" not in shown
    assert "it's" not in shown
    assert "SMTP_PASSWORD in mastodon-web.service has characters that setup does not accept" in shown
