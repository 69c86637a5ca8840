"""Two trucks with sales of two Sundays, for the cards of a tab."""

import pytest
import sqlalchemy as sa


@pytest.fixture
def sales(db: sa.Connection) -> sa.Connection:
    """On Sunday truck 1 takes £75 in 15 sales of £5, truck 2 £25 in 5; a week before each took £50."""
    db.execute(
        sa.text("""
            INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito <b>Madness</b>'), (2, 'Kings of Kebabs');
            INSERT INTO mart.sales_hourly VALUES
                (1, '2025-11-23', 13, 0, 'card', 15, 7500), (2, '2025-11-23', 18, 0, 'cash', 5, 2500),
                (1, '2025-11-16', 13, 0, 'card', 10, 5000), (2, '2025-11-16', 18, 0, 'cash', 10, 5000);
            INSERT INTO mart.price_daily VALUES (1, '2025-11-23', 500, 15), (2, '2025-11-23', 500, 5),
                (1, '2025-11-16', 500, 10), (2, '2025-11-16', 500, 10);
        """)
    )
    return db
