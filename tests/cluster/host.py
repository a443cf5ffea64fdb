"""The program on one machine of a cluster: `python host.py NAME COMMAND…`.

All machines of a test are this one; only the host name distinguishes them.
"""

import socket
import sys

from mastodon_update_check.cli import main as cli

if __name__ == "__main__":
    name = sys.argv.pop(1)
    socket.gethostname = lambda: name
    cli.main()
