"""What systemd says of a unit, as it says it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mastodon_update_check.host.become import find_service
from mastodon_update_check.host.names import Place, find_place
from mastodon_update_check.host.programs import Finished, run_program
from mastodon_update_check.host.unit_view import Bind, find_credentials, look, read_view

# As systemd 252 prints it.
SHOWN = """\
Environment=UPDATE_CHECK_CONFIG=/etc/mastodon-update-check/x.env "B=two words" "C=d\\"e"
User=_mastodon_update_check
Group=
SupplementaryGroups=www-data adm
ProtectHome=tmpfs
StateDirectory=mastodon-update-check/x
BindPaths=/var/lib/mastodon-update-check/x:/var/lib/mastodon-update-check/x:rbind
BindReadOnlyPaths=/run:/var/run -/home/mastodon/live/config:/home/mastodon/live/config:rbind
TemporaryFileSystem=/home:ro /root:ro /run/user:ro /var:ro
LoadState=loaded
"""
UNIT_TEXT = """\
# /usr/lib/systemd/system/mastodon-update-check.service
[Service]
LoadCredential=dropped:/etc/dropped
# /etc/systemd/system/mastodon-update-check.service.d/override.conf
[Service]
LoadCredential=
LoadCredential=smtp_password:/etc/secrets/smtp
LoadCredential=smtp_login
#LoadCredential=commented:/etc/x
"""


def test_view() -> None:
    """User, groups, environment, state, and what is hidden and bound; what is writable stays so."""
    view = read_view(SHOWN)
    assert view is not None
    assert ("_mastodon_update_check", "", ("www-data", "adm")) == (view.user, view.group, view.supplementary_groups)
    assert {"UPDATE_CHECK_CONFIG": "/etc/mastodon-update-check/x.env", "B": "two words", "C": 'd"e'} == view.environment
    assert "mastodon-update-check/x" == view.state_directory
    assert {"/home", "/root", "/run/user", "/var"} == {str(path) for path in view.hidden}
    state, config = Path("/var/lib/mastodon-update-check/x"), Path("/home/mastodon/live/config")
    expected = (Bind(Path("/run"), Path("/var/run")), Bind(config, config), Bind(state, state, is_writable=True))
    assert expected == view.binds


@pytest.mark.parametrize(
    "text", ["", "LoadState=not-found\nUser=x\n", "LoadState=loaded\nUser=\n", "LoadState=loaded\nUser=root\n"]
)
def test_no_view(text: str) -> None:
    """No unit, or one that runs as root, is no service to act as."""
    assert read_view(text) is None


def test_credentials() -> None:
    """The unit's text says which secrets it is handed; an empty line takes back those before it."""
    expected = (("smtp_password", "/etc/secrets/smtp"), ("smtp_login", "smtp_login"))
    assert expected == find_credentials("x.service", lambda _argv, _stdin: Finished(code=0, out=UNIT_TEXT))


def test_without_systemd() -> None:
    """Where systemctl is missing or fails there is no unit."""
    assert look("x.service", lambda _argv, _stdin: Finished(code=127)) is None


PREFIX = Path("/etc/mastodon-update-check")
INSTALLED = Path("/usr/lib/mastodon-update-check/mastodon_update_check/cli.py")


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        (PREFIX / "config.env", "mastodon-update-check.service"),
        (PREFIX / "second.env", "mastodon-update-check@second.service"),
        (PREFIX / "SECOND.env", None),
        (PREFIX / "config.txt", None),
        (Path("/root/config.env"), None),
        (Path("config.env"), None),
    ],
)
def test_whose_settings(path: Path, unit: str | None) -> None:
    """Each service has its file of settings; any other file is nobody's."""
    place = find_place(path)
    assert unit == (place.unit if place else None)


def test_installed(tmp_path: Path) -> None:
    """Installed means: our file of settings in its place, and a unit with a user of its own."""
    place = Place(prefix=tmp_path)
    assert find_service({}, lambda _argv, _stdin: Finished(code=0, out=SHOWN), place, INSTALLED) is None
    place.config_file.parent.mkdir(parents=True)
    place.config_file.touch()
    found = find_service({}, lambda _argv, _stdin: Finished(code=0, out=SHOWN), place, INSTALLED)
    assert found is not None
    assert found.place == place
    checkout = Path("/root/mastodon-update-check/cli.py")
    assert find_service({}, lambda _argv, _stdin: Finished(code=0, out=SHOWN), place, checkout) is None
    assert find_service({}, lambda _argv, _stdin: Finished(code=0, out="LoadState=not-found\n"), place) is None


def test_other_settings(tmp_path: Path) -> None:
    """Another file of settings is somebody else's business: nothing is even asked."""
    ran: list[Sequence[str]] = []

    def run(argv: Sequence[str], _: str) -> Finished:
        ran.append(argv)
        return Finished(code=0, out=SHOWN)

    assert find_service({"UPDATE_CHECK_CONFIG": str(tmp_path / "mine.env")}, run) is None
    assert [] == ran


def test_code_that_the_service_cannot_see(tmp_path: Path) -> None:
    """A checkout in a place that the unit hides is not what the service runs."""
    place = Place(prefix=tmp_path)
    place.config_file.parent.mkdir(parents=True)
    place.config_file.touch()
    code = Path(__file__).parents[2]
    shown = f"{SHOWN}TemporaryFileSystem={code.parent}:ro\n"
    assert find_service({}, lambda _argv, _stdin: Finished(code=0, out=shown), place) is None


def test_programs() -> None:
    """A program gets words, not a shell, an environment of its own, and what it says is told."""
    assert Finished(code=0, out="$(id) `id` ; a b\n") == run_program(("echo", "$(id) `id` ;", "a b"))
    assert "PYTEST" not in run_program(("env",)).out
    assert "in\n" == run_program(("cat",), "in\n").out
    assert 127 == run_program(("no-such-program",)).code
    assert "no-such-program: No such file" in run_program(("no-such-program",)).err
