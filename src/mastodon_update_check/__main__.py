"""`python -m mastodon_update_check`."""

from mastodon_update_check.cli.main import main

main()
