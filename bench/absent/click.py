"""Stands in the way of click, which other packages bring here: an installation has none."""

raise ImportError(name="click")
