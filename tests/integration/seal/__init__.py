"""Sealed packs: what is in them, and that no change of them goes unseen."""
