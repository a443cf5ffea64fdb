"""Setting this program up beside a Mastodon server, and taking that back: what root does, and nothing else does."""
