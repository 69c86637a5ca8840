"""Loaded sales and their rollups: changed in one transaction, with every change of a past figure recorded."""
