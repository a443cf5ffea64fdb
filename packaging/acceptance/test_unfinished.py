"""Upgrades that were not finished: migrations that were not run, then a Sidekiq that was not restarted."""

from acceptance.machine import Machine, wait_until
from acceptance.mailbox import Mailbox
from acceptance.program import QUICK, Program
from acceptance.site import Site
from simulators.mastodon_schema import MIGRATIONS
from simulators.mastodon_tree import configured

OPERATOR = "ops@elsewhere.example"
FIRST, WITH_MIGRATION, CODE_ONLY = "4.5.21", "4.5.22", "4.5.23"
"""Releases whose trees have migrations; the second has one that the database has not run."""
MIGRATION = "20261020120000"
SIDEKIQ = "mastodon-sidekiq.service"
MIGRATIONS_PENDING, RESTART_DUE = "migrations.pending", "restart.due"
CHECKS = 3
"""Checks after which another notice would have been sent."""


def test_install(program: Program, machine: Machine, site: Site) -> None:
    """The package installs beside a tree with migrations, all of which have run."""
    known = "".join(f"touch db/migrate/{migration}_known.rb\n" for migration in MIGRATIONS)
    _tag(
        site,
        FIRST,
        f"mkdir -p db/migrate db/post_migrate streaming; touch streaming/index.js db/post_migrate/.keep\n{known}",
    )
    _tag(site, WITH_MIGRATION, f"touch db/post_migrate/{MIGRATION}_drop_column.rb")
    _tag(site, CODE_ONLY, "true")
    site.checkout(FIRST)
    machine.shell("systemctl restart mastodon-web mastodon-sidekiq mastodon-streaming")
    program.install(program.package)


def test_setup(program: Program, machine: Machine) -> None:
    """Set up, it finds nothing left to do."""
    program.add_settings(f"{QUICK}UPDATE_CHECK_OPERATOR={OPERATOR}\n")
    machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    program.wait_running()
    program.wait_event("check.finished")
    assert _left(program) == ([], [])
    assert "Unfinished" not in program.command("status").out


def test_migrations_are_forgotten(program: Program, machine: Machine, site: Site) -> None:
    """`status` and `doctor` show pending migrations at once; the operator is not notified for an hour."""
    site.checkout(WITH_MIGRATION)
    machine.shell("systemctl restart mastodon-web mastodon-sidekiq mastodon-streaming")
    _wait_for_left(program, [MIGRATION], [])
    sentence = f"1 migration is pending, the newest {MIGRATION}: run `"
    assert sentence in program.command("status").out
    assert sentence in program.command("doctor").out
    _wait_for_checks(site)
    assert _subjects(site.mailbox, MIGRATIONS_PENDING) == []


def test_pending_migrations_are_notified_once(program: Program, site: Site) -> None:
    """After an hour the operator gets one mail."""
    program.let_pass(minutes=61)
    expected = [f"[social.example] Run the migrations of Mastodon {WITH_MIGRATION}: 1 is pending"]
    wait_until(lambda: _subjects(site.mailbox, MIGRATIONS_PENDING), "a mail about pending migrations")
    _wait_for_checks(site)
    assert _subjects(site.mailbox, MIGRATIONS_PENDING) == expected


def test_run_migrations_are_notified_once(program: Program, machine: Machine, site: Site) -> None:
    """Once they have run, nothing is left to do, and the operator gets one mail."""
    copy = f"echo {MIGRATION} | psql --quiet -c 'COPY schema_migrations FROM STDIN' mastodon_production"
    machine.shell(f'cd / && runuser -u mastodon -- bash -c "{copy}"')
    wait_until(lambda: len(_subjects(site.mailbox, MIGRATIONS_PENDING)) > 1, "a mail about the end")
    _wait_for_checks(site)
    ended = f"[social.example] All migrations of Mastodon {WITH_MIGRATION} have run"
    assert _subjects(site.mailbox, MIGRATIONS_PENDING)[1:] == [ended]
    assert _left(program) == ([], [])


def test_sidekiq_is_not_restarted(program: Program, machine: Machine, site: Site) -> None:
    """`status` and `doctor` show it at once; streaming, whose files have not changed, need not be restarted."""
    site.checkout(CODE_ONLY)
    machine.shell("systemctl restart mastodon-web")
    _wait_for_left(program, [], [SIDEKIQ])
    sentence = f"{SIDEKIQ} started before the tree changed: `systemctl restart {SIDEKIQ}`"
    assert sentence in program.command("status").out
    assert sentence in program.command("doctor").out
    _wait_for_checks(site)
    assert _subjects(site.mailbox, RESTART_DUE) == []


def test_an_outdated_sidekiq_is_notified_once(program: Program, site: Site) -> None:
    """After an hour the operator gets one mail."""
    program.let_pass(minutes=61)
    wait_until(lambda: _subjects(site.mailbox, RESTART_DUE), "a mail about Sidekiq")
    _wait_for_checks(site)
    [subject] = _subjects(site.mailbox, RESTART_DUE)
    assert SIDEKIQ.removesuffix(".service") in subject


def test_a_restarted_sidekiq_is_notified_once(program: Program, machine: Machine, site: Site) -> None:
    """Once it is restarted, nothing is left to do, and the operator gets one mail."""
    machine.shell(f"systemctl restart {SIDEKIQ}")
    wait_until(lambda: len(_subjects(site.mailbox, RESTART_DUE)) > 1, "a mail about the end")
    _wait_for_checks(site)
    assert len(_subjects(site.mailbox, RESTART_DUE)) == 1 + 1
    assert _left(program) == ([], [])
    assert len(_subjects(site.mailbox, MIGRATIONS_PENDING)) == 1 + 1
    assert "no migrations are pending, and no services are older than the tree" in program.command("doctor").out


def _tag(site: Site, version: str, script: str) -> None:
    """Commit a tree of this version, with what the script changes, and tag it."""
    site.machine.write("/opt/version.rb", configured(version))
    lines = (
        f"cd {site.root}",
        script,
        "cp /opt/version.rb lib/mastodon/version.rb",
        "git add lib db streaming",
        f"git commit --quiet --message v{version}",
        f"git tag v{version}",
    )
    site.machine.write("/opt/tag", "\n".join(lines))
    site.machine.shell("runuser -u mastodon -- bash -eu /opt/tag")


def _left(program: Program) -> tuple[list[str], list[str]]:
    """Return the pending migrations and the outdated services."""
    status = program.status()
    return status["migrations_pending"], status["services_outdated"]


def _wait_for_left(program: Program, migrations: list[str], services: list[str]) -> None:
    wait_until(lambda: _left(program) == (migrations, services), f"{migrations} and {services} left to do")


def _wait_for_checks(site: Site) -> None:
    for _ in range(CHECKS):
        site.update_server.wait_for_question()


def _subjects(mailbox: Mailbox, event: str) -> list[str]:
    """Return the subjects of the operator's mails of this kind, the oldest first."""
    mails = [
        mail for mail in mailbox.mails if (mail["X-Original-To"], mail["X-Update-Check-Event"]) == (OPERATOR, event)
    ]
    return [str(mail["Subject"]) for mail in sorted(mails, key=lambda mail: mail["Date"].datetime)]
