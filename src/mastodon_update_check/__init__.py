"""Tells the administrators of a Mastodon server, once and surely, when it needs an update."""

__version__ = "0.1.0"
