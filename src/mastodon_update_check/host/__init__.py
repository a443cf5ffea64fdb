"""The machine that the service is installed on: its programs, its units, its users."""
