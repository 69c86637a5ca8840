"""Whether files under settlements/ and the proof of cash add up, for `t3 doctor`."""

import sqlalchemy as sa

from t3lib.business_day import today
from t3lib.money import pounds
from t3lib.warehouse.settlements.proof import SALES, is_stale

NAMED = 3
_FILES = sa.text("""
    WITH line AS (
        SELECT file_id, net_pence AS pence, counts, identity FROM core.settlement
        UNION ALL
        SELECT file_id, amount_pence, counts, identity FROM core.bank_line
    ), found AS (
        SELECT file_id, count(*) AS lines, sum(pence)::bigint AS pence FROM line GROUP BY file_id
    )
    SELECT file.key, file.state, file.rows_loaded, file.pence_loaded, coalesce(found.lines, 0) AS lines,
           coalesce(found.pence, 0)::bigint AS pence,
           CASE WHEN file.state = 'loaded' THEN (rows_loaded, pence_loaded) = (coalesce(lines, 0), coalesce(pence, 0))
                ELSE found.lines IS NULL END AS agrees
    FROM ops.source_file AS file LEFT JOIN found USING (file_id)
    WHERE kind = 'settlement' ORDER BY key
""")
_UNCOUNTED = sa.text("""
    WITH line AS (
        SELECT identity, counts FROM core.settlement
        UNION ALL
        SELECT identity, counts FROM core.bank_line
    )
    SELECT count(*) FROM (SELECT FROM line GROUP BY identity HAVING count(*) FILTER (WHERE counts) <> 1) AS odd
""")
_PROOF = f"""
    WITH sold AS ({SALES}), proven AS (
        SELECT tender, truck_id, business_date, sum(pence)::bigint AS pence FROM mart.settled_daily
        WHERE state <> 'over' GROUP BY 1, 2, 3
    ), begun AS (
        SELECT tender, truck_id, min(business_date) AS first FROM proven GROUP BY 1, 2
    )
    SELECT tender, truck_id, business_date, coalesce(sold.pence, 0) AS sold, coalesce(proven.pence, 0) AS proven
    FROM (SELECT sold.* FROM sold JOIN begun USING (tender, truck_id) WHERE business_date >= first) AS sold
    FULL JOIN proven USING (tender, truck_id, business_date)
    WHERE sold.pence IS DISTINCT FROM proven.pence
    ORDER BY business_date, tender, truck_id
"""


def files(db: sa.Connection) -> tuple[bool, str]:
    """Whether each file's lines and pence are as the ledger says, and each line counts once; and a sentence."""
    found = db.execute(_FILES).all()
    wrong, twice = [row for row in found if not row.agrees], db.scalar(_UNCOUNTED) or 0
    loaded = [row for row in found if row.state == "loaded"]
    said = f"{len(loaded):,} files of providers and banks: {sum(row.rows_loaded for row in loaded):,} lines"
    if wrong:
        said += f"; not for {len(wrong):,}: " + "; ".join(
            f"{row.key} says {row.rows_loaded:,}, {pounds(row.pence_loaded)}; found {row.lines:,}, {pounds(row.pence)}"
            for row in wrong[:NAMED]
        )
    if twice:
        said += f"; {twice:,} lines do not count exactly once"
    return not wrong and not twice, said


def proof(db: sa.Connection) -> tuple[bool, str]:
    """Whether the pence of each truck's day in all states together are its sales; and a sentence."""
    if is_stale(db):
        return True, "figures changed since sales and bank were matched: a worker matches them again within a minute"
    wrong = db.execute(sa.text(_PROOF), {"today": today()}).all()
    if not wrong:
        days, pence = db.execute(sa.text("""
            SELECT count(DISTINCT business_date), coalesce(sum(pence) FILTER (WHERE state <> 'over'), 0)::bigint
            FROM mart.settled_daily
        """)).one()  # fmt: skip
        return True, f"each of {pounds(pence)} of sales on {days:,} days is in one state"
    named = (f"{row.tender} of truck {row.truck_id} on {row.business_date}: {pounds(row.sold)} sold, "
             f"{pounds(row.proven)} in states" for row in wrong[:NAMED])  # fmt: skip
    return False, f"sales and states differ on {len(wrong):,} truck days: " + "; ".join(named)
