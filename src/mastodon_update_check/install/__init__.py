"""Setting this program up beside a Mastodon server, and undoing that: the part that runs as root."""
