"""Restated figures: changed by corrected, late or withdrawn files, by rules, menus and costs, and by people."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

import pandas as pd
import sqlalchemy as sa

_RESTATED = sa.text("""
SELECT business_date, sum(rows_after - rows_before)::bigint AS rows_change,
       sum(pence_after - pence_before)::bigint AS pence_change,
       coalesce(sum(contribution_after - contribution_before), 0)::bigint AS contribution_change,
       array_agg(DISTINCT cause ORDER BY cause) AS causes
FROM mart.restatement
WHERE made_at >= :since AND made_at < :until AND business_date BETWEEN :first AND :last
  AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
GROUP BY business_date
HAVING sum(rows_after - rows_before) <> 0 OR sum(pence_after - pence_before) <> 0
    OR sum(contribution_after - contribution_before) <> 0
ORDER BY business_date DESC""")


def restated_days(
    db: sa.Connection, since: datetime, until: datetime, before: date, *, first: date = date.min,
    trucks: Collection[int] = (),
) -> pd.DataFrame:  # fmt: skip
    """One row per business day before `before` whose figures changed from `since` to `until`, latest first.

    business_date, rows_change and pence_change of these trucks (none means all) together, contribution_change by menus
    and costs alone, causes as codes; only days from `first` on.

    >>> from datetime import UTC, datetime
    >>> since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC)
    >>> metrics.ask(metrics.restated_days, since, until, date(2026, 12, 1))
      business_date  rows_change  pence_change  contribution_change         causes
    0    2026-10-29           -1          -499                    0  [new_version]
    """
    days = {"first": first, "last": before - timedelta(days=1), "all_trucks": not trucks, "trucks": list(trucks)}
    result = db.execute(_RESTATED, days | {"since": since, "until": until})
    return pd.DataFrame(result.all(), columns=list(result.keys()))
