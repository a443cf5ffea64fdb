"""Time limits and pauses of the supervisor, and its exit code for a restart."""

from datetime import timedelta

TICK = timedelta(seconds=10)
CHECK_LIMIT = timedelta(minutes=5)
"""How long one check may take: its questions have limits of their own that add up to less."""
DELIVERY_SILENCE = timedelta(minutes=2)
"""How long a delivering child may be silent; it says every 20 s that it is well."""
PAUSE = timedelta(seconds=60)
"""How long to wait before deliveries begin again that could not be made."""
CRASH_PAUSE = timedelta(seconds=5)
PATIENCE = timedelta(seconds=8)
"""How long children may finish attempts in progress when the daemon stops."""
STOP_SECONDS = 9.2
"""How long the whole stop may take, with the status page that says so: less than `signals.STOP_LIMIT`."""
RESTART = 75
"""Exit code that asks for a restart (`Restart=on-failure`)."""
