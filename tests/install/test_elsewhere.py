"""The command lines above the script: with the names that were found, and nothing that means something else."""

import shlex
from pathlib import Path

import pytest

from install.host import ROOT
from mastodon_update_check.install.discovery import Installation
from mastodon_update_check.install.elsewhere import explain

SCRIPT = "mastodon-update-check setup --print-sql | "
PSQL = ["psql", "-X", "-v", "ON_ERROR_STOP=1"]
PASSWORD = "password=…"


def lines(problem: str = "", **settings: str) -> list[str]:
    """Return what is said of one Mastodon with these settings."""
    return list(explain([Installation(root=ROOT, settings=settings, problems=(problem,) if problem else ())], {}))


def commands(said: list[str]) -> list[list[str]]:
    """Return the words of each command that gets the script."""
    return [shlex.split(line.partition(SCRIPT)[2]) for line in said if SCRIPT in line]


@pytest.mark.parametrize("name", ["DB_HOST=localhost", "DB_HOST=127.0.0.1", "DB_HOST=::1", "X="])
def test_another_port(name: str) -> None:
    """A server on this host is reached by its socket; one in docker compose is called db in Mastodon's own file."""
    key, _, host = name.partition("=")
    said = lines(**{key: host, "DB_PORT": "5433", "DB_NAME": "social"})
    assert f"Mastodon in {ROOT} names the database social at {host or 'localhost'}, port 5433." == said[0]
    assert [
        ["runuser", "-u", "postgres", "--", *PSQL, "-p", "5433", "-d", "social"],
        ["docker", "compose", "exec", "-T", "db", *PSQL, "-U", "postgres", "-d", "social"],
    ] == commands(said)


def test_another_socket() -> None:
    """A directory of sockets other than the usual one is named, and is no container's."""
    said = lines(DB_HOST="/tmp/sockets", DB_NAME="social")  # noqa: S108 - only a name
    assert [
        ["runuser", "-u", "postgres", "--", *PSQL, "-h", "/tmp/sockets", "-p", "5432", "-d", "social"]  # noqa: S108
    ] == commands(said)
    assert PASSWORD not in " ".join(said)


def test_compose() -> None:
    """A host of one word may be a service of docker compose, whose superuser may be the one that Mastodon uses."""
    said = lines(DB_HOST="database", DB_USER="social", DB_NAME="social")
    assert ["docker", "compose", "exec", "-T", "database", *PSQL, "-U", "postgres", "-d", "social"] in commands(said)
    assert "In docker compose (with -U social, if that is its POSTGRES_USER):" in said


def test_managed() -> None:
    """A managed database has its own host, port and name, also by its URL, whose password is not shown."""
    url = "postgres://owner:secret-word@db-1.example.net:25060/defaultdb?sslmode=require"
    said = lines(DATABASE_URL=url, DB_NAME="no")
    assert [
        [*PSQL, "-h", "db-1.example.net", "-p", "25060", "-U", "ADMINISTRATOR", "-d", "defaultdb"],
    ] == commands(said)
    assert f"host=db-1.example.net port=25060 dbname=defaultdb user=_mastodon_update_check {PASSWORD}" in said[-1]
    assert "secret-word" not in " ".join(said)


@pytest.mark.parametrize("name", ["DB_HOST", "DB_NAME", "DB_USER", "DB_PORT"])
@pytest.mark.parametrize(
    "text", ["x\nDROP DATABASE x; --", "x;id", "$(id)", "a b", "-cevil", "x'y", "`id`", "x\u2028y", "|x"]
)
def test_hostile_names(name: str, text: str) -> None:
    """Names with a meaning in a shell, in psql or in the script are replaced by the usual names."""
    said = lines(**{name: text})
    assert text not in "\n".join(said)
    assert all(line.isprintable() for line in said)
    assert any("mastodon_production" in line for line in said)


def test_hostile_tree() -> None:
    """Nor is the tree's path a way out of the comment."""
    (said, *_) = explain([Installation(root=Path("/srv/x\nDROP DATABASE x;"))], {})
    assert "\n" not in said


def test_unreadable() -> None:
    """Where Mastodon's settings cannot be read, the reason and the usual names are printed."""
    said = lines(problem="permission denied")
    assert f"Mastodon in {ROOT}: permission denied. These are the usual names." == said[0]
    assert 3 == len(commands(said))
    assert "This host: no Mastodon was found. These are the usual names." == next(explain([], {}))


def test_environment() -> None:
    """In a container there is no tree: the environment has Mastodon's settings there."""
    said = list(explain([], {"DB_HOST": "db", "DB_NAME": "social"}))
    assert "The environment names the database social at db, port 5432." == said[0]


def test_several() -> None:
    """Of several Mastodons each has its own lines."""
    found = [Installation(root=Path(f"/srv/{name}"), settings={"DB_NAME": name}) for name in ("one", "two")]
    said = "\n".join(explain(found, {}))
    assert all(f"Mastodon in /srv/{name} names the database {name} at localhost" in said for name in ("one", "two"))
