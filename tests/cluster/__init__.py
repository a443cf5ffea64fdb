"""Daemons on several machines that share one ledger in PostgreSQL."""
