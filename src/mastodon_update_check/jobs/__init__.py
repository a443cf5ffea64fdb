"""The two jobs, check and deliver, straight-line: gather, decide, store; claim, compose, send, record."""
