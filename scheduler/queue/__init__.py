"""The durable queue: workflows, worker leases, and the takeover of a dead worker's work."""
