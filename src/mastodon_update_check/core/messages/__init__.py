"""Messages: composed from what is known, ready for any sink."""
