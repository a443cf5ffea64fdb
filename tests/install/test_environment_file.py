r"""Files that Mastodon's unit names: read as systemd reads them, found by `setup`, copied with Mastodon's own file."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from install.host import ROOT, Host, set_up
from mastodon_update_check.install.copying import copy_settings, values
from mastodon_update_check.install.environment_file import EnvironmentFile, as_dotenv, examine_file
from simulators.environment_files import MEANT

FILE = Path("/etc/mastodon/env")
CONFIG = "etc/mastodon-update-check/config.env"
COPY = "run/mastodon-update-check/mastodon.env"
SECRET = "of-somebody-else"


def write(host: Host, text: str, file: Path = FILE) -> Path:
    """Write such a file; return where it really is."""
    real = host.real(file)
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text(text)
    return real


def name(host: Host, *files: str, environment: str = "RAILS_ENV=production") -> None:
    """Have a unit of Mastodon's web server name such files, as systemd says it."""
    host.add_web_unit("mastodon-web.service", environment=environment)
    host.units["mastodon-web.service"] += "".join(f"EnvironmentFiles={file}\n" for file in files)


def read(host: Host, text: str) -> dict[str, str]:
    """Return what such a file says."""
    write(host, text)
    return dict(examine_file(host.machine, EnvironmentFile(path=FILE)).variables)


@pytest.mark.parametrize(("written", "meant"), MEANT.items())
def test_values(host: Host, written: str, meant: str) -> None:
    """Quotes, backslashes, blanks and signs mean what they mean to systemd."""
    found = read(host, f"# SMTP_LOGIN=x\n;SMTP_LOGIN=y\nnothing\n\n  SMTP_LOGIN = {written}")
    assert {"SMTP_LOGIN": meant} == found


def test_only_what_is_needed(host: Host) -> None:
    """The last of several lines counts; what this program does not take is not taken."""
    assert {"WEB_DOMAIN": "b"} == read(host, "=x\nWEB_DOMAIN=a\r\nSECRET_KEY_BASE=x\nexport DB_PASS=x\nWEB_DOMAIN=b")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_round_trip(text: str) -> None:
    """A written line is read as exactly this value, with any line behind it; values that no line can hold are named."""
    lines, unfit = as_dotenv({"SMTP_PASSWORD": text, "SMTP_SERVER": "x' #"})
    found = values(lines)
    assert "x' #" == found["SMTP_SERVER"]
    assert found.get("SMTP_PASSWORD", "") == ("" if unfit else text)
    assert unfit or text == found["SMTP_PASSWORD"]


def test_setup(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """Such files precede the unit's own environment, and that precedes Mastodon's file; later files win."""
    host.install("LOCAL_DOMAIN=a.example\nWEB_DOMAIN=a.example\nSMTP_SERVER=a.example\nSMTP_PORT=25\nDB_NAME=a\n")
    write(host, "WEB_DOMAIN=c.example\nSMTP_SERVER=c.example\nSMTP_PASSWORD='a $x # b'\n")
    write(host, "SMTP_SERVER=d.example\nDB_NAME=d\n", Path("/etc/mastodon/more"))
    files = f"{FILE} (ignore_errors=no)", "/etc/mastodon/more (ignore_errors=yes)", "/etc/gone (ignore_errors=yes)"
    name(host, *files, environment="WEB_DOMAIN=b.example SMTP_PORT=587")
    assert set_up(host)
    said = capsys.readouterr().out
    assert f"{ROOT}/.env.production and {FILE} and /etc/mastodon/more" in said
    assert "a $x" not in said
    assert "PostgreSQL is not running on this host" in said
    assert "SMTP_PORT='587'" in host.read(CONFIG)
    watched = host.read("etc/systemd/system/mastodon-update-check-settings.path.d/50-setup.conf")
    assert f"PathChanged={ROOT}\nPathChanged={FILE}\n" in watched
    assert "b.example" not in host.read(CONFIG)
    assert {
        "LOCAL_DOMAIN": "a.example",
        "WEB_DOMAIN": "c.example",
        "SMTP_SERVER": "d.example",
        "SMTP_PORT": "25",
        "SMTP_PASSWORD": "a $x # b",
        "DB_NAME": "d",
    } == values(host.read(COPY))


def test_changed(host: Host) -> None:
    """They are copied at each start and reload; while one cannot be read, the last copy stays."""
    host.install("LOCAL_DOMAIN=a.example\nSMTP_SERVER=localhost\n")
    file = write(host, "SMTP_PASSWORD=old\nDB_PASS=of-the-database\n")
    name(host, f"{FILE} (ignore_errors=no)")
    set_up(host)
    assert "DB_PASS" in host.read(COPY)
    file.write_text("SMTP_PASSWORD=new\n")
    assert not copy_settings(host.machine, host.machine.place()).is_problem
    assert "new" == values(host.read(COPY))["SMTP_PASSWORD"]
    file.unlink()
    report = copy_settings(host.machine, host.machine.place())
    assert f"{FILE} cannot be copied: no such file or directory; the last copy stays" == report.sentence
    assert "new" == values(host.read(COPY))["SMTP_PASSWORD"]


def test_login_is_left_out(host: Host) -> None:
    """With a login of our own, Mastodon's is copied from no file."""
    host.install("LOCAL_DOMAIN=a.example\n")
    write(host, "DB_PASS=of-the-database\nSMTP_SERVER=localhost\n")
    name(host, f"{FILE} (ignore_errors=no)")
    config = host.prefix / CONFIG
    config.parent.mkdir()
    config.write_text("UPDATE_CHECK_DATABASE_URL=host=db.example\n")
    set_up(host)
    assert "of-the-database" not in "".join(host.files()[path] for path in (CONFIG, COPY))


def test_instead_of_mastodons_file(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """With all settings in such a file, a missing .env.production is not reported."""
    (host.install("") / ".env.production").unlink()
    write(host, "LOCAL_DOMAIN=a.example\nSMTP_SERVER=localhost\n")
    name(host, f"{FILE} (ignore_errors=no)")
    assert set_up(host)
    assert {"LOCAL_DOMAIN", "SMTP_SERVER"} == values(host.read(COPY)).keys()
    said = capsys.readouterr().out
    assert "cannot be copied" not in said
    assert "is not set" not in said


def _link(file: Path) -> None:
    secret = file.with_name("secret")
    file.rename(secret)
    file.symlink_to(secret)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _huge(file: Path) -> None:
    with file.open("ab") as content:
        content.truncate(1 << 40)


@pytest.mark.parametrize("spoil", [_link, _pipe, _huge, Path.unlink])
def test_hostile(host: Host, spoil: Callable[[Path], object], capsys: pytest.CaptureFixture[str]) -> None:
    """A link, a pipe, a file without end or none at all is not read; that is said, and the rest is set up."""
    host.install("LOCAL_DOMAIN=a.example\nSMTP_SERVER=localhost\n")
    spoil(write(host, f"SMTP_PASSWORD={SECRET}\n"))
    name(host, f"{FILE} (ignore_errors=no)")
    assert set_up(host)
    assert f"Note: {FILE}, which mastodon-web.service names, cannot be copied: " in capsys.readouterr().out
    assert SECRET not in host.read(COPY)
    assert "SMTP_SERVER=localhost" in host.read(COPY)


@pytest.mark.parametrize("path", ["/etc/mastodon/*.env", "/etc/a b", "relative", "/etc/%i"])
def test_odd_paths(host: Host, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Several files by one name, or a path that means something else, are named and left to the administrator."""
    host.install("LOCAL_DOMAIN=a.example\nSMTP_SERVER=localhost\n")
    name(host, f"{path} (ignore_errors=no)")
    assert set_up(host)
    assert f"Note: {path}, which mastodon-web.service names, cannot be copied: its path" in capsys.readouterr().out


def test_value_that_no_line_can_hold(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named when it is found and when it is copied, never shown, and the rest is copied."""
    host.install("LOCAL_DOMAIN=a.example\n")
    write(host, "SMTP_PASSWORD='secret-word\\'\nSMTP_SERVER=localhost\n")
    name(host, f"{FILE} (ignore_errors=no)")
    set_up(host)
    report = copy_settings(host.machine, host.machine.place())
    said = capsys.readouterr().out
    assert f"Note: SMTP_PASSWORD in {FILE} has characters that setup does not accept: set it in" in said
    assert report.is_problem
    assert "except SMTP_PASSWORD, which no line can hold" in report.sentence
    assert "secret-word" not in said + report.sentence + host.read(COPY)
    assert "localhost" == values(host.read(COPY))["SMTP_SERVER"]


def test_damaged_list(host: Host) -> None:
    """When the list of them cannot be read, the last copy stays, and that is said."""
    host.install("LOCAL_DOMAIN=a.example\nSMTP_SERVER=localhost\n")
    set_up(host)
    (host.prefix / "etc/mastodon-update-check/setup.json").write_text("{}")
    report = copy_settings(host.machine, host.machine.place())
    assert report.is_problem
    assert "setup.json, the record of setup, cannot be read" in report.sentence
    assert "SMTP_SERVER=localhost" in host.read(COPY)
