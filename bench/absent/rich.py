"""Stands in the way of rich, which other packages bring here: an installation has none."""

raise ImportError(name="rich")
