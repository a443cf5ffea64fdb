"""Output for monitoring systems: status, metrics, heartbeats, status page."""
