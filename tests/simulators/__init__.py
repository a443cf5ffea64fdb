"""Neighbours for tests: an update server, a Mastodon server, mail servers, webhook receivers."""
