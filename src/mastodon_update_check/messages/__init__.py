"""Messages: composed from notices and from what is known, ready for any sink."""
