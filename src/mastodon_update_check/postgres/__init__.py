"""Logging in to PostgreSQL."""
