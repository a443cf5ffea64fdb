"""The program on one node: `python node.py HOST COMMAND…`.

All nodes of a test are one machine; what the machine is called is all that tells them apart.
"""

import socket
import sys

from mastodon_update_check.cli import main as cli

if __name__ == "__main__":
    name = sys.argv.pop(1)
    socket.gethostname = lambda: name
    cli.main()
