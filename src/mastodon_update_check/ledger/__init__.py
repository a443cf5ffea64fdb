"""The durable store of decisions and deliveries."""
