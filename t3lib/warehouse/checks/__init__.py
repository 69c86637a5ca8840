"""Proofs that bucket, ledger, sales, rejects, rollups and roles agree, and the repair of rollups."""
