"""Settings: the administrator's, those of Mastodon's file, the unit's environment, release details."""

import pytest

from install.host import CONFIG, COPY, ENV, ROOT, WATCH, Host, Terminal, refused, session, set_up, write_config


def test_settings_of_the_administrator_win(with_database: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting of theirs is not set again, and a database of theirs is left alone."""
    write_config(with_database, "UPDATE_CHECK_DATABASE_URL=host=db.example")
    set_up(with_database)
    text = with_database.read(CONFIG)
    assert text.startswith("UPDATE_CHECK_DATABASE_URL=host=db.example\n")
    assert text.count("UPDATE_CHECK_DATABASE_URL") == 1
    assert "no PostgreSQL role is created" in capsys.readouterr().out
    assert not [line for line in with_database.ran if "psql" in line and "ON_ERROR_STOP" not in line]


@pytest.mark.parametrize("line", ["UPDATE_CHECK_INTERVAL=1s", "UPDATE_CHECK_RECIPIENT=devops"])
def test_dry_run_names_settings_that_stop_the_real_run(
    host: Host, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong settings of the administrator are named before anything is changed, by the real run too."""
    host.install(ENV)
    write_config(host, f"{line}\n")
    assert not set_up(host, dry_run=True)
    out = capsys.readouterr().out
    assert f"Setup would stop here: {line.partition('=')[0]}" in out
    assert "/tmp/" not in out.replace(str(host.prefix), "")  # noqa: S108 - where the draft was read
    assert line.partition("=")[0] in refused(host)
    assert host.files() == {CONFIG: f"{line}\n"}


def test_dry_run_names_parts_that_mastodons_settings_disable(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A value of Mastodon's that cannot be used disables a part: setup says which, and does not stop."""
    host.install(f"{ENV}SMTP_DELIVERY_METHOD=sendmail\n")
    assert set_up(host, dry_run=True)
    out = capsys.readouterr().out
    assert "SMTP_DELIVERY_METHOD" in out
    assert f"{host.prefix / COPY}, line 5" in out


@pytest.mark.parametrize(("answer", "expected"), [("y", "github"), ("", "github"), ("n", "off")])
def test_release_details_are_asked_for_once(
    host: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, expected: str
) -> None:
    """The question names the host that will be contacted; the answer is written, and not asked for again."""
    host.install(ENV)
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n" + "y\n" * 3))
    assert session(host, yes=False).set_up()
    assert "raw.githubusercontent.com" in capsys.readouterr().out
    assert (f"UPDATE_CHECK_RELEASE_DETAILS='{expected}'" in host.read(CONFIG)) is (expected == "github")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    before = host.read(CONFIG)
    assert session(host, yes=False).set_up()
    out = capsys.readouterr().out
    assert "raw.githubusercontent.com" not in out
    assert "Continue? [Y/n]" in out
    assert host.read(CONFIG) == before


def test_release_details_are_never_allowed_silently(host: Host) -> None:
    """`--yes` alone allows no host to be contacted; `--release-details github` does."""
    host.install(ENV)
    assert set_up(host)
    assert "RELEASE_DETAILS" not in host.read(CONFIG)
    assert set_up(host, release_details="github")
    assert "UPDATE_CHECK_RELEASE_DETAILS='github'" in host.read(CONFIG)


def test_environment_file_that_is_mastodons_own(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A unit that names `.env.production` itself does not make the plan list it twice."""
    host.install(ENV)
    host.add_web_unit("mastodon-web.service")
    host.units["mastodon-web.service"] += f"EnvironmentFiles={ROOT}/.env.production (ignore_errors=no)\n"
    assert set_up(host)
    out = capsys.readouterr().out
    assert f"copy the needed lines of {ROOT}/.env.production to " in out
    assert [line for line in host.read(WATCH).splitlines() if "=/" in line] == [f"PathChanged={ROOT}"]


def test_environment_file_elsewhere_is_named(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that the unit names is not read; a note names it, because its settings precede those that are copied."""
    host.install(ENV)
    host.add_web_unit("mastodon-web.service")
    host.units["mastodon-web.service"] += "EnvironmentFiles=/etc/mastodon/env (ignore_errors=yes)\n"
    assert set_up(host)
    note = "Note: /etc/mastodon/env, which mastodon-web.service names by EnvironmentFile=, is not copied. Its settings"
    assert note in " ".join(capsys.readouterr().out.split())


def test_environment_of_the_unit(host: Host) -> None:
    """Variables of Mastodon's unit precede those of its file, as for Mastodon; only needed ones are taken."""
    host.install(ENV)
    host.add_web_unit(
        "mastodon-web.service", environment='RAILS_ENV=production WEB_DOMAIN=m.social.example "SMTP_LOGIN=a b"'
    )
    set_up(host)
    assert "WEB_DOMAIN='m.social.example'\nSMTP_LOGIN='a b'\n" in host.read(CONFIG)
    assert "RAILS_ENV" not in host.read(CONFIG)


def test_missing_file(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """Without Mastodon's files the rest is set up when our own file names the server; the missing one is named."""
    tree = host.install("")
    (tree / ".env.production").unlink()
    assert "LOCAL_DOMAIN is not set" in refused(host)
    write_config(host, "LOCAL_DOMAIN=social.example\n")
    assert set_up(host)
    assert (
        f"{ROOT}/.env.production cannot be copied: no such file or directory. Settings that" in capsys.readouterr().out
    )
    assert host.read(COPY).startswith("#")
