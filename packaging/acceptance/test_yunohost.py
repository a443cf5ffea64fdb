"""A server as YunoHost lays it out: the tree under /var/www, which only its owner may read."""

from acceptance.machine import Machine, wait_until
from acceptance.program import QUICK, STATE, UNIT, USER, Program
from acceptance.site import Site

ROOT = "/var/www/mastodon/live"
ONCE, TIMER = "mastodon-update-check-once.service", "mastodon-update-check-once.timer"


def test_install(program: Program, machine: Machine, site: Site) -> None:
    """The package installs beside it."""
    machine.shell(
        "usermod --append --groups mastodon www-data; chown -R mastodon:www-data /var/www/mastodon;"
        f" chmod 0750 /var/www/mastodon {ROOT}; chmod 0400 {ROOT}/.env.production; systemctl restart mastodon-web"
    )
    program.install(program.package)
    program.add_settings(QUICK)
    site.update_server.publish("4.5.20", urgent=True)


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """`setup` finds it, the service runs, and every DevOps user is notified."""
    said = machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    assert ROOT in said
    program.wait_running()
    site.mailbox.wait_for(site.devops, "4.5.20")


def test_modes(machine: Machine) -> None:
    """No mode, owner or group in the tree was changed for that."""
    modes = machine.shell(f"stat -c '%a %U %G' /var/www/mastodon {ROOT} {ROOT}/.env.production").splitlines()
    assert modes == ["750 mastodon www-data", "750 mastodon www-data", "400 mastodon www-data"]
    assert USER not in machine.shell("id -nG mastodon; getent group mastodon www-data")


def test_checkout(program: Program, machine: Machine, site: Site) -> None:
    """A checkout under the running unit is seen."""
    process = program.pid
    site.checkout("4.5.20")
    machine.shell("systemctl restart mastodon-web")
    site.update_server.wait_for_question("4.5.20")
    assert program.pid == process


def test_timer(machine: Machine, site: Site) -> None:
    """`setup --timer` replaces the resident service by a timer: checks continue, and no notice is sent again."""
    machine.shell("mastodon-update-check setup --yes --tell mark --no-test --timer 2>&1")
    assert machine.run(f"systemctl is-active {UNIT}").out.strip() == "inactive"
    assert machine.run(f"systemctl is-active {TIMER}").out.strip() == "active"
    before = len(site.update_server.asked)
    machine.shell(f"systemctl start {ONCE}")
    assert machine.show(ONCE, "Result")["Result"] == "success"
    wait_until(lambda: len(site.update_server.asked) > before, "a check by the timer's service")
    assert site.update_server.asked[-1] == "4.5.20"
    assert site.devops == site.mailbox.recipients("4.5.20")
    assert machine.shell(f"find {STATE} ! -user {USER}") == ""


def test_timer_fires(program: Program, machine: Machine, site: Site) -> None:
    """The timer starts one check after another."""
    lines = (
        "OnActiveSec=\nOnUnitActiveSec=\nOnActiveSec=1s\nOnUnitActiveSec=2s\nRandomizedDelaySec=0\nAccuracySec=100ms"
    )
    machine.write(f"/etc/systemd/system/{TIMER}.d/quick.conf", f"[Timer]\n{lines}\n")
    before = machine.cursor()
    machine.shell(f"systemctl daemon-reload && systemctl restart {TIMER}")
    for _ in range(3):
        site.update_server.wait_for_question("4.5.20")
    assert program.wait_event("check.finished", before, unit=ONCE)["planned"] == 0
    assert machine.show(ONCE, "Result")["Result"] == "success"
    assert program.state == "inactive/dead"


def test_either_or(program: Program, machine: Machine) -> None:
    """Starting the service stops the timer, and the timer the service; one check by hand stops neither."""
    machine.shell(f"systemctl start {UNIT}")
    process = program.wait_running()
    assert machine.run(f"systemctl is-active {TIMER}").out.strip() == "inactive"
    machine.shell(f"systemctl start {ONCE}")
    assert program.pid == process
    machine.shell(f"systemctl start {TIMER}")
    assert machine.run(f"systemctl is-active {TIMER}").out.strip() == "active"
    # `start` does not wait for what it stops.
    wait_until(lambda: program.state == "inactive/dead", "the service to stop", 15)


def test_restart_of_everything(program: Program, machine: Machine) -> None:
    """`systemctl restart 'mastodon-*'`, which is meant for Mastodon, leaves it at the timer."""
    machine.shell("systemctl restart 'mastodon-*'")
    assert machine.run(f"systemctl is-active {TIMER}").out.strip() == "active"
    assert program.state == "inactive/dead"


def test_timer_after_boot(program: Program, machine: Machine, site: Site) -> None:
    """After a reboot the timer runs and the service does not; no notice is sent again."""
    machine.reboot()
    site.update_server.wait_for_question("4.5.20")
    assert machine.run(f"systemctl is-active {TIMER}").out.strip() == "active"
    assert program.state == "inactive/dead"
    assert machine.shell("systemctl --failed --no-legend --plain").strip() == ""
    assert site.devops == site.mailbox.recipients("4.5.20")
