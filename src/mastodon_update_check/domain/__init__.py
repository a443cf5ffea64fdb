"""Decisions, as functions of values: standard library and `packaging` only; no I/O, clock, logging or settings."""
