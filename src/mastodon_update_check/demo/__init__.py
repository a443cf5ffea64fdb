"""A demonstration: the real daemon beside a made-up Mastodon server, on loopback and in a temporary directory."""
