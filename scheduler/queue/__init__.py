"""The durable queue: workflows, the lease of each worker, and what becomes of work whose worker died."""
