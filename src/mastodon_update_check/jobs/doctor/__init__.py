"""Diagnosis, for `doctor`: one probe for each configured part; nothing is changed and nothing is sent."""
