"""Acceptance: real Debian systems, booted in containers, on which an administrator installs and runs this program.

`make acceptance`, as root, with Debian's packages mmdebstrap and systemd-container. For each release it makes a root
file system (kept under build/, from the very mirror that this machine's apt uses), boots it with systemd-nspawn, puts a
Mastodon server with its neighbours into it, and goes through what happens in the life of such a server.

Modules: `images` makes root file systems, `machine` boots them and runs commands in them, `site` is Mastodon and
its neighbours in one machine, `inside` holds what is copied into it, `program` is what is being shown, and each
`test_…` is one story on one machine: its scenarios build on those before.

Nothing is left behind, however it ends: all of it runs in a PID and a mount namespace of its own, and processes and
mounts go with them.
"""
