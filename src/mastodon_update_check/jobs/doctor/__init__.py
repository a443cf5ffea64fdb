"""Diagnosis, for `doctor`: what is configured is tried, one probe each; nothing is changed and nothing is sent."""
