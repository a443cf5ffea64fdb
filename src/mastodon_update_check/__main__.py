"""`python -m mastodon_update_check`."""

from mastodon_update_check.cli import main

main()
