"""Demand by place, menu type, hour and price."""
