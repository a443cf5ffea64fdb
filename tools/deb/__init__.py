"""What goes into the Debian package."""
