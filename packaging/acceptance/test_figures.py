"""Figures of the running service, and of its neighbours."""

import re
from collections.abc import Callable

from acceptance.machine import Machine
from acceptance.program import QUICK, UNIT, USER, Program
from acceptance.site import Site

HIGHEST_EXPOSURE = 1.1
COMPARED = (
    *("redis-server", "systemd-resolved", "chrony", "fwupd", "prometheus-node-exporter", "certbot", "nginx"),
    *("postgresql@", "unattended-upgrades"),
)
MASTODON = ("mastodon-web", "mastodon-sidekiq", "mastodon-streaming")
MOMENTS = tuple(f"{moment}TimestampMonotonic" for moment in ("InactiveExit", "ExecMainStart", "ActiveEnter"))
Note = Callable[[str, object], None]


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """The unit is set up, and runs."""
    program.install(program.package)
    program.add_settings(QUICK)
    site.update_server.publish("4.5.20", urgent=True)
    machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    program.wait_running()
    site.mailbox.wait_for(site.devops, "4.5.20")


def test_exposure(machine: Machine, record_property: Note) -> None:
    """`systemd-analyze security` of the running unit is at most 1.1, and below every neighbour's."""
    ours = _exposure(machine.run(f"systemd-analyze security --no-pager {UNIT}").out)
    record_property("figure", f"exposure of the running unit: {ours}")
    assert ours <= HIGHEST_EXPOSURE
    others = {name: _exposure(machine.run(f"systemd-analyze security --no-pager {name}").out) for name in MASTODON}
    for name in COMPARED:
        unit = machine.shell(f"find /opt/compared -name '{name}.service' -not -type l | head -1").strip()
        assert unit, f"no unit {name}"
        others[name] = _exposure(machine.run(f"systemd-analyze security --offline=true --no-pager {unit}").out)
    for name, exposure in sorted(others.items(), key=lambda other: other[1]):
        record_property("figure", f"exposure of {name}: {exposure}")
    assert all(ours <= exposure for exposure in others.values()), others


def test_memory(program: Program, machine: Machine, site: Site, record_property: Note) -> None:
    """After checks and mails, memory and tasks have room below their limits."""
    for _ in range(10):
        site.update_server.wait_for_question()
    shown = machine.show(UNIT, "MemoryCurrent", "MemoryMax", "TasksCurrent", "TasksMax")
    peak, limit = machine.groups.memory_peak(UNIT), int(shown["MemoryMax"])
    resident = re.findall(r"(VmRSS|VmHWM):\s+(\d+)", machine.shell(f"cat /proc/{program.pid}/status"))
    sizes = {name: f"{int(kilobytes) / 1024:.1f} MiB" for name, kilobytes in resident}
    current = int(shown["MemoryCurrent"])
    assert peak is not None, "this machine's kernel does not count memory by control groups"
    record_property("figure", f"memory of the control group: {current / 2**20:.1f} MiB, at most {peak / 2**20:.1f} MiB")
    record_property("figure", f"memory of the process: {sizes['VmRSS']}, at most {sizes['VmHWM']}")
    record_property("figure", f"MemoryMax: {limit / 2**20:.0f} MiB")
    assert peak < limit / 2


def test_every_sink(program: Program, machine: Machine, site: Site, record_property: Note) -> None:
    """With 20 sinks that all have something to send, memory and tasks have room below their limits."""
    url = "https://127.0.0.1:8099/hook"  # no TLS there: each attempt fails, and is tried again
    program.add_settings("".join(f"UPDATE_CHECK_WEBHOOK_N{number}_URL={url}/{number}\n" for number in range(18)))
    machine.shell(f"systemctl restart {UNIT}")
    site.update_server.publish("4.5.21", urgent=True)
    site.update_server.wait_for_question()
    sample = (
        f"for i in $(seq 80); do total=0; for status in $(grep -l '^Uid:.'$(id -u {USER})'.' /proc/[0-9]*/status "
        "2>/dev/null); do n=$(sed -n 's/^Threads:.//p' $status 2>/dev/null); total=$((total + ${n:-0})); done; "
        "echo $total; sleep 0.1; done | sort -n | tail -1"
    )
    tasks = int(machine.run(sample).out)
    peak, shown = machine.groups.memory_peak(UNIT), machine.show(UNIT, "MemoryMax", "TasksMax")
    assert peak is not None
    record_property("figure", f"with 20 sinks: at most {peak / 2**20:.1f} MiB, {tasks} tasks of {shown['TasksMax']}")
    assert peak < int(shown["MemoryMax"]) / 2
    assert tasks < int(shown["TasksMax"]) / 2


def test_start_time(machine: Machine, record_property: Note) -> None:
    """Record the time from start to READY, as systemd counts it; the median of five."""
    seconds = []
    for _ in range(5):
        machine.shell(f"systemctl restart {UNIT}")
        shown = machine.show(UNIT, *MOMENTS)
        begun, main, ready = (int(shown[moment]) / 1e6 for moment in MOMENTS)
        seconds.append((ready - begun, ready - main))
    whole, own = sorted(seconds)[2]
    record_property(
        "figure", f"start until READY: {whole:.2f} s with the copy of settings, of it the program {own:.2f} s"
    )


def test_size(program: Program, machine: Machine, record_property: Note) -> None:
    """Record the size of the package."""
    size = int(machine.shell(f"stat -c %s /root/{program.package}"))
    installed = int(machine.shell("dpkg-query -W -f '${Installed-Size}' mastodon-update-check"))
    compiled = int(machine.shell("du -sk /usr/lib/mastodon-update-check | cut -f1"))
    record_property(
        "figure",
        f"package: {size / 1e6:.1f} MB, installed {installed / 1024:.0f} MiB, compiled {compiled / 1024:.0f} MiB",
    )


def _exposure(text: str) -> float:
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", text)
    assert found, text[-500:]
    return float(found[1])
