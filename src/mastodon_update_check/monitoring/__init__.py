"""What monitoring systems get: metrics and heartbeats."""
