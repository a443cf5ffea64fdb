"""The server between checks: its state, its installed version, its status."""
