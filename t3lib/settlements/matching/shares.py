"""Sharing out pence by weights so that the parts add up exactly."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def share(pence: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Pence by weight, none more than its weight; the largest remainders get the odd pence, the first key of equals."""
    total = sum(weights.values())
    if not total or not pence:
        return dict.fromkeys(weights, 0)
    parts = {key: pence * weight // total for key, weight in weights.items()}
    left = pence - sum(parts.values())
    by_remainder = sorted(weights, key=lambda key: -(pence * weights[key] % total))
    for key in by_remainder[:left]:
        parts[key] += 1
    return parts
