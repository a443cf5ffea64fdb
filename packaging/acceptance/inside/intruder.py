"""An attacker who controls the process: tries what it can still read, write, become and reach.

Prints one JSON object: for each attempt whether it worked, and the directories in which a file could be created.
"""

import ctypes
import json
import mmap
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
STATE = "/var/lib/mastodon-update-check"
PTRACE_ATTACH, CLONE_NEWUSER, MS_BIND, SCHED_FIFO, PER_LINUX32 = 16, 0x10000000, 4096, 1, 8
CALLS = {"add_key": 248, "bpf": 321, "init_module": 175, "kexec_load": 246, "perf_event_open": 298, "reboot": 169}
"""System calls of amd64 that the C library has no function for; asked with nothing, so that none does anything."""
PSQL = ("/usr/bin/psql", "--no-password", "--no-psqlrc", "--command", "SELECT 1")
EPERM, ENOSYS = 1, 38


def reads(path: str) -> bool:
    """Read a file."""
    return bool(Path(path).read_bytes()[:1])


def lists(path: str) -> bool:
    """List a directory that has something in it."""
    return bool(os.listdir(path))


def calls(function: str, *arguments: object) -> bool:
    """Call a function of the C library that returns -1 when it is refused."""
    return bool(getattr(LIBC, function)(*arguments) != -1)


def is_allowed(name: str) -> bool:
    """Make a system call without arguments; a filtered one fails with EPERM."""
    ctypes.set_errno(0)
    LIBC.syscall(CALLS[name], *(ctypes.c_long(0),) * 5)
    return ctypes.get_errno() not in (EPERM, ENOSYS)


def opens(family: int, kind: int = socket.SOCK_DGRAM, protocol: int = 0) -> bool:
    """Open a socket."""
    with socket.socket(family, kind, protocol):
        return True


def reaches(host: str, port: int) -> bool:
    """Connect by TCP."""
    with socket.create_connection((host, port), 3):
        return True


def runs(*command: str) -> bool:
    """Run a program that succeeds."""
    ended = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    return ended.returncode == 0


def executes_in(directory: str) -> bool:
    """Write a program and start it."""
    with tempfile.NamedTemporaryFile("w", dir=directory, delete=False) as file:
        file.write("#!/bin/sh\n")
    try:
        Path(file.name).chmod(0o700)
        return runs(file.name)
    finally:
        Path(file.name).unlink()


def loads_library() -> bool:
    """Load a library that Mastodon's user has put into the tree, as libpq loads an OpenSSL engine."""
    ctypes.CDLL(f"{sys.argv[1]}/lib/mastodon/evil.so")
    return True


def marks_setuid() -> bool:
    """Make a program that everybody runs as this user."""
    with tempfile.NamedTemporaryFile(dir=STATE) as file:
        Path(file.name).chmod(0o4700)
        return True


def attaches() -> bool:
    """Look into another process of the same user."""
    with subprocess.Popen(("/bin/sleep", "60")) as other:
        try:
            return calls("ptrace", PTRACE_ATTACH, other.pid, 0, 0)
        finally:
            other.kill()


def writes_code() -> bool:
    """Get memory that is both written and executed."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    return True


def sees_others() -> bool:
    """See processes of other users."""
    return any(Path(f"/proc/{pid}").stat().st_uid != os.getuid() for pid in os.listdir("/proc") if pid.isdigit())


def changes(call: str, *arguments: object) -> bool:
    """Change user or domain in a child process, so that this process keeps its own."""
    if (child := os.fork()) == 0:
        try:
            os._exit(0 if calls(call, *arguments) else 1)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


ATTEMPTS: dict[str, Callable[[], bool]] = {
    # Read.
    "read Mastodon's settings": lambda: reads(f"{sys.argv[1]}/.env.production"),
    "read Mastodon's history": lambda: reads(f"{sys.argv[1]}/.git/HEAD"),
    "read the copy of the needed settings": lambda: reads("/run/mastodon-update-check/mastodon.env"),
    "read Mastodon's version": lambda: reads(f"{sys.argv[1]}/lib/mastodon/version.rb"),
    "list the migrations": lambda: lists(f"{sys.argv[1]}/db/migrate"),
    "read the passwords of users": lambda: reads("/etc/shadow"),
    "read a file of root's": lambda: lists("/root"),
    "read our own settings": lambda: reads("/etc/mastodon-update-check/config.env"),
    "list the homes": lambda: set(os.listdir("/home")) != {"mastodon"} and lists("/home"),
    "read a home": lambda: lists("/home/somebody"),
    "read a file in /opt": lambda: reads("/opt/site/mastodon.sql"),
    "list the database's files": lambda: lists("/var/lib/postgresql"),
    "list mailboxes": lambda: lists("/var/mail"),
    "list logs": lambda: lists("/var/log"),
    "see other processes": sees_others,
    "read the environment of PID 1": lambda: reads("/proc/1/environ"),
    "read kernel messages": lambda: reads("/dev/kmsg"),
    "look at disks": lambda: any(name.startswith(("sd", "vd", "nvme")) for name in os.listdir("/dev")),
    # Become.
    "become root": lambda: changes("setuid", 0),
    "use sudo": lambda: runs("/usr/bin/sudo", "-n", "/bin/true"),
    "make a namespace": lambda: changes("unshare", CLONE_NEWUSER),
    "mount": lambda: changes("mount", b"/tmp", b"/mnt", None, MS_BIND, None),
    "chroot": lambda: changes("chroot", b"/tmp"),
    "make a set-user-ID program": marks_setuid,
    "trace a process": attaches,
    "take real-time priority": lambda: changes("sched_setscheduler", 0, SCHED_FIFO, ctypes.byref(ctypes.c_int(1))),
    "take a higher priority": lambda: changes("setpriority", 0, 0, -5),
    "change the personality": lambda: changes("personality", PER_LINUX32),
    "have memory written and executed": writes_code,
    **{f"ask for {name}": partial(is_allowed, name) for name in CALLS},
    # Run.
    "run a program of the system": lambda: runs("/bin/true"),
    "run a program of its own in its state": lambda: executes_in(STATE),
    "run a program of its own in /tmp": lambda: executes_in("/tmp"),  # noqa: S108 - the place in question
    "load a library of Mastodon's tree": loads_library,
    # Reach.
    "a raw socket": lambda: opens(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "a packet socket": lambda: opens(socket.AF_PACKET, socket.SOCK_RAW),
    "a netlink socket": lambda: opens(socket.AF_NETLINK),
    "a vsock socket": lambda: opens(socket.AF_VSOCK, socket.SOCK_STREAM),
    "reach the mail server": lambda: reaches("127.0.0.1", 25),
    "stop a service": lambda: runs("/usr/bin/systemctl", "--no-ask-password", "stop", "mastodon-streaming"),
    "log in to PostgreSQL as Mastodon": lambda: runs(*PSQL, "user=mastodon dbname=mastodon_production"),
    "log in to PostgreSQL as its superuser": lambda: runs(*PSQL, "user=postgres dbname=mastodon_production"),
    "log in to PostgreSQL as itself": lambda: runs(*PSQL, "dbname=mastodon_production"),
}


def tried(attempt: Callable[[], bool]) -> bool:
    """Try; what is refused ends in one way or another."""
    try:
        return attempt()
    except (OSError, subprocess.SubprocessError):
        return False


def writable() -> list[str]:
    """Return every directory that can be seen and in which a file can be made."""
    found = []
    for directory, names, _ in os.walk("/"):
        names[:] = [name for name in names if f"{directory}/{name}".replace("//", "/") not in ("/proc", "/sys")]
        try:
            descriptor, name = tempfile.mkstemp(dir=directory)
        except OSError:
            continue
        os.close(descriptor)
        Path(name).unlink()
        found.append(directory)
    return sorted(found)


if __name__ == "__main__":
    outcomes = {name: tried(attempt) for name, attempt in ATTEMPTS.items()}
    print(json.dumps({"outcomes": outcomes, "writable": writable()}))  # noqa: T201 - the answer
