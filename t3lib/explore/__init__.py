"""What the notebooks of notebooks/explore/ work out from figures of `t3lib.metrics`, and their findings in words."""

from t3lib.metrics.scope import Scope


def span(scope: Scope) -> str:
    """The days of a scope in words."""
    days = "1 day" if scope.days == 1 else f"{scope.days} days"
    return f"the {days} up to {scope.last:%-d %b %Y}"


def nothing(scope: Scope) -> str:
    """The finding where there are no sales."""
    return f"No sales in {span(scope)}: name another business_date, or run `t3 ingest`."


def more_or_less(pct: float) -> str:
    """3.2% more, 1.0% less."""
    return f"{abs(pct):.1f}% {'more' if pct >= 0 else 'less'}"
