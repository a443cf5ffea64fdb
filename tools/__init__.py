"""What the project's own targets run: documents made from the code, and the Debian package."""
