"""Notifies the administrators of a Mastodon server about updates, reliably and exactly once."""

__version__ = "1.0.0"
