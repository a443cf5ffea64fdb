"""The long tests: everything killed at every step, and thousands of lives with kills at random moments."""
