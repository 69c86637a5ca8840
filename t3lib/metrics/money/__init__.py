"""Contribution after costs, and margins."""
