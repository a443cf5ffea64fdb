"""The copy of Mastodon's settings, with the owner of the original as the intruder."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from install.host import Host
from mastodon_update_check.config.dotenv import parse
from mastodon_update_check.config.variables import FILE_BYTES
from mastodon_update_check.host.machine import Place
from mastodon_update_check.install.copying import CopyReport, copy_settings, differs_from_copy, values

ENV = "LOCAL_DOMAIN=social.example\nSECRET_KEY_BASE=of-mastodon\nDB_PASS=of-the-database\n"
MARK = "of-another-user"


@pytest.fixture
def place(host: Host) -> Place:
    """Return a service that has been set up."""
    place = host.machine.place()
    place.config_file.parent.mkdir(parents=True)
    place.config_file.write_text(f"UPDATE_CHECK_MASTODON_ENV_FILE={place.mastodon_copy}\n")
    return place


def copy(host: Host, place: Place) -> CopyReport:
    """Copy, as the unit does."""
    return copy_settings(host.machine, place)


def test_only_needed_lines_are_copied(host: Host, place: Place) -> None:
    """The needed lines are copied, and only root and the service can read them."""
    host.install(ENV)
    assert not copy(host, place).is_problem
    assert place.mastodon_copy.read_text().splitlines()[1:] == [
        "LOCAL_DOMAIN=social.example",
        "DB_PASS=of-the-database",
    ]
    assert place.mastodon_copy.stat().st_mode & 0o777 == 0o640
    assert [place.mastodon_copy] == list(place.mastodon_copy.parent.iterdir())


def test_copy_is_compared_with_the_files(host: Host, place: Place) -> None:
    """A change of a needed line, or a file that cannot be read any more, differs; a change of another line does not."""
    file = host.install(ENV) / ".env.production"
    assert not differs_from_copy(host.machine, place), "there is no copy"
    copy(host, place)
    assert not differs_from_copy(host.machine, place)
    file.write_text(f"{ENV}OTP_SECRET=of-mastodon\n")
    assert not differs_from_copy(host.machine, place)
    file.write_text(ENV.replace("of-the-database", "another"))
    assert differs_from_copy(host.machine, place)
    copy(host, place)
    file.unlink()
    assert differs_from_copy(host.machine, place)


@pytest.mark.parametrize("name", ["UPDATE_CHECK_DATABASE_URL", "UPDATE_CHECK_DATABASE_URL_FILE"])
def test_login_is_left_out(host: Host, place: Place, name: str) -> None:
    """With a login of our own, Mastodon's is not copied."""
    host.install(ENV)
    with place.config_file.open("a") as file:
        file.write(f"{name}=x\n")
    copy(host, place)
    assert "of-the-database" not in place.mastodon_copy.read_text()


def test_all_files_of_rails_in_their_order(host: Host, place: Place) -> None:
    """The first of the four files that sets a name wins, and a value refers to names that were set before it."""
    tree = host.install("LOCAL_DOMAIN=c.example\nSMTP_SERVER=c.example\nSMTP_PORT=25\nSMTP_LOGIN=me@$SMTP_SERVER\n")
    (tree / ".env.production.local").write_text("SMTP_SERVER=a.example\nDB_NAME=$LOCAL_DOMAIN-c\n")
    (tree / ".env.local").write_text("SMTP_SERVER=b.example\nSMTP_PORT=587\n")
    (tree / ".env").write_text("SMTP_PORT=26\nWEB_DOMAIN=d.example\n")
    assert not copy(host, place).is_problem
    assert values(parse(place.mastodon_copy.read_text())) == {
        "LOCAL_DOMAIN": "c.example",
        "SMTP_SERVER": "a.example",
        "SMTP_PORT": "587",
        "SMTP_LOGIN": "me@a.example",
        "DB_NAME": "-c",
        "WEB_DOMAIN": "d.example",
    }


@pytest.mark.parametrize("names", [(".env.production",), (".env.production", ".env")], ids=["one file", "two files"])
def test_copy_is_never_larger_than_the_service_reads(host: Host, place: Place, names: tuple[str, ...]) -> None:
    """Files that are each within the limit, and would make a copy over it, are reported; the last copy stays."""
    tree = host.install(ENV)
    copy(host, place)
    last = place.mastodon_copy.read_text()
    for number, name in enumerate(names):
        lines = "".join(f"MASTODON_VERSION_{number}{line}={'x' * 60_000}\n" for line in range(4))
        rest = f"MASTODON_VERSION_{number}="
        (tree / name).write_text(f"{ENV}{lines}{rest}".ljust(FILE_BYTES, "x"))
    report = copy(host, place)
    assert report.is_problem
    assert "larger than" in report.sentence
    assert place.mastodon_copy.read_text() == last
    assert differs_from_copy(host.machine, place)


@pytest.mark.parametrize("name", [".env.production.local", ".env.local", ".env"])
def test_hostile_file_beside_the_usual_one(host: Host, place: Place, name: str) -> None:
    """A link in the place of one of the four is not followed; the last copy stays."""
    tree = host.install(ENV)
    copy(host, place)
    (tree / name).symlink_to("/etc/passwd")
    expected = f"/home/mastodon/live/{name} cannot be copied: it is a symbolic link; the last copy stays"
    assert copy(host, place).sentence == expected
    assert "DB_PASS=of-the-database" in place.mastodon_copy.read_text()


def test_only_a_file_with_another_name(host: Host, place: Place) -> None:
    """One of the four is enough."""
    (host.install(ENV) / ".env.production").rename(host.real(Path("/home/mastodon/live/.env")))
    assert not copy(host, place).is_problem
    assert "LOCAL_DOMAIN=social.example" in place.mastodon_copy.read_text()


def test_own_file_names_the_tree(host: Host, place: Place) -> None:
    """Our own file says where the tree is."""
    host.install(ENV, Path("/srv/social"))
    with place.config_file.open("a") as file:
        file.write("UPDATE_CHECK_MASTODON_ROOT=/srv/social\n")
    assert "/srv/social/.env.production are copied" in copy(host, place).sentence


def _link(file: Path, secret: Path) -> None:
    file.symlink_to(secret)


def _linked_directory(file: Path, secret: Path) -> None:
    file.parent.rename(file.parent.with_name("aside"))
    (secret.parent / ".env.production").write_text(f"SMTP_PASSWORD={MARK}\n")
    # An ordinary user cannot give a link away, but knows one of root's that leads to a directory of his own.
    file.parent.symlink_to("/dev/fd" if os.getuid() else secret.parent)
    if os.getuid() == 0:
        os.chown(file.parent, 54_321, 54_321, follow_symlinks=False)


ATTACKS = [
    (_link, "it is a symbolic link"),
    (lambda *_: None, "no such file or directory"),
    (_linked_directory, "a symbolic link leads to a directory of another user"),
]


@pytest.mark.parametrize(("attack", "words"), ATTACKS)
def test_link_in_place_of_the_file_is_reported(
    host: Host, place: Place, tmp_path: Path, attack: Callable[[Path, Path], None], words: str
) -> None:
    """A link in the place of the file or its directory is reported, and the service starts without the file."""
    file = host.install(ENV) / ".env.production"
    secret = tmp_path / "secrets" / "shadow"
    secret.parent.mkdir()
    secret.write_text(f"SMTP_PASSWORD={MARK}\n")
    file.unlink()
    attack(file, secret)
    report = copy(host, place)
    assert report.is_problem
    problem = f"/home/mastodon/live/.env.production cannot be copied: {words}"
    assert report.sentence == f"{problem}; the service starts without it"
    assert place.mastodon_copy.read_text().startswith(f"# {problem}")
    assert MARK not in place.mastodon_copy.read_text()


def test_link_in_the_place_of_the_copy(host: Host, place: Place, tmp_path: Path) -> None:
    """The copy replaces a file or link of its name; nothing is written through a link."""
    host.install(ENV)
    place.mastodon_copy.parent.mkdir()
    (tmp_path / "victim").write_text("untouched")
    place.mastodon_copy.symlink_to(tmp_path / "victim")
    copy(host, place)
    assert (tmp_path / "victim").read_text() == "untouched"
    assert not place.mastodon_copy.is_symlink()


@pytest.mark.parametrize("kind", ["link", "open"])
def test_directory_that_others_may_write_to(host: Host, place: Place, tmp_path: Path, kind: str) -> None:
    """Where others may write, nothing is written."""
    host.install(ENV)
    if kind == "link":
        place.mastodon_copy.parent.symlink_to(tmp_path)
    else:
        place.mastodon_copy.parent.mkdir()
        place.mastodon_copy.parent.chmod(0o777)
    with pytest.raises(PermissionError, match="is not a directory that only root can write to"):
        copy(host, place)
    assert not (tmp_path / "mastodon.env").exists()


@pytest.mark.parametrize("own", ["", "UPDATE_CHECK_MASTODON_ENV_FILE=/srv/mine.env\n"])
def test_nothing_is_copied_without_setup(host: Host, place: Place, own: str) -> None:
    """Before setup, and where the administrator names another file, nothing is copied, without a warning."""
    host.install(ENV)
    place.config_file.write_text(own)
    report = copy(host, place)
    assert (report.is_problem, place.mastodon_copy.exists()) == (False, False)
    assert report.sentence.startswith("nothing is copied")
