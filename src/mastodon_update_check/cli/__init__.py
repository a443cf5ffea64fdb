"""The commands: each a thin door to the jobs, with its own words for a person at a terminal."""
