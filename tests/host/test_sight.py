"""Whether the daemon still sees Mastodon's tree: only what a unit has bound can be lost sight of."""

import os
import subprocess
import sys
from pathlib import Path

from mastodon_update_check.daemon.sight import Sight
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from simulators.mastodon_tree import flags, write_tree

OLD, NEW = MastodonVersion.parse("4.5.19"), MastodonVersion.parse("4.5.20")
BEFORE, AFTER = ServerState(tree=OLD, running=OLD), ServerState(tree=OLD, running=NEW)
# The version's directory is mounted, as in the unit; a checkout is seen, the server gets ahead, the file goes away.
# What was seen first is known after a reload, too, unless that names another tree.
SCRIPT = """
import sys
from pathlib import Path
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.daemon.sight import Sight

root = Path(sys.argv[1])
directory = root / "lib/mastodon"
before, old, new = map(MastodonVersion.parse, ("4.5.18", "4.5.19", "4.5.20"))
sight, booted, hurried, begun, other = (Sight(root) for _ in range(5))
nothing = ServerState()
seen = [(before, before), (old, before), (old, old), (old, new)]
print(*(other.of(root).is_lost(ServerState(tree=old, running=running), nothing) for running in (old, new)))
print(Sight(root).of(root / "elsewhere").is_lost(ServerState(tree=old, running=new), nothing))
print(*(sight.is_lost(ServerState(tree=tree, running=running), nothing) for tree, running in seen))
seen = [(before, None), (before, before), (old, None), (old, old), (old, None), (old, new)]
print(*(booted.is_lost(ServerState(tree=tree, running=running), nothing) for tree, running in seen))
seen = [(old, None), (old, new)]
known = ServerState(tree=before, running=before)
print(*(begun.is_lost(ServerState(tree=tree, running=running), known) for tree, running in seen))
seen = [(before, before), (old, None), (old, new)]
print(*(hurried.is_lost(ServerState(tree=tree, running=running), nothing) for tree, running in seen))
(directory / "version.rb").unlink()
print(Sight(root).is_lost(nothing, nothing), other.is_lost(nothing, nothing))
"""


def test_nothing_is_lost_without_a_bind(tmp_path: Path) -> None:
    """Outside of a sandbox the tree is what its path leads to, whatever the server says."""
    sight = Sight(write_tree(tmp_path, flags("4.5.19")))
    assert [False, False] == [sight.is_lost(known, ServerState()) for known in (BEFORE, AFTER)]


def test_tree_that_is_bound(tmp_path: Path) -> None:
    """A server that gets ahead of what is bound, if only after a checkout or a boot, or a file that goes away."""
    write_tree(tmp_path, flags("4.5.19"))
    mount = 'cd "$1" && cp -r lib aside && mount -t tmpfs none lib/mastodon && cp -r aside/. lib'
    run = f'{mount} && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--mount", "sh", "-c", run, "sh", str(tmp_path), sys.executable, SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if os.getuid() == 0 and "Operation not permitted" not in done.stderr:
        lines = (
            "False True",
            "False",
            "False False False True",
            "False False False False False True",
            "False True",
            "False False True",
            "False True",
        )
        assert list(lines) == done.stdout.splitlines()
    else:
        assert "Operation not permitted" in done.stderr
