"""Measures the resources that the program takes, as ratios to a named reference in the same run. `make bench`."""
