"""Menus: dishes by popularity and margin, and the effects of price changes."""
