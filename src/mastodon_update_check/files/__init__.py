"""Files that belong to others, and files that are replaced as a whole."""
