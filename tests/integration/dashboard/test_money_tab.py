"""The tabs Money and Month pack."""

from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard.state import State
from t3lib.dashboard.tabs import TabContext
from t3lib.dashboard.tabs import sheet as sheet_of
from t3lib.metrics import Scope
from tests.support.pages import SUNDAY, sheet
from tests.support.pages import table_rows as rows

DAY = Scope(SUNDAY, SUNDAY)


def test_concentration_is_the_largest_share_and_the_sum_of_squares(sales: sa.Connection):
    assert metrics.concentration(sales, DAY) == metrics.Concentration("Burrito <b>Madness</b>", 75.0, 75**2 + 25**2)
    assert metrics.concentration(sales, Scope(date(2020, 1, 1), date(2020, 1, 1))) is None


def test_money_shows_shares_growth_and_names_the_file_that_costs_need(sales: sa.Connection):
    html = sheet(sales, "money", DAY)
    assert ["Burrito <b>Madness</b>", "£75.00", "75.0%", "£75.00", "", "▲ 50.0% up"] in rows(html)
    assert ["Like for like", "= level"] in rows(html)
    assert ["Concentration (HHI)", "6,250"] in rows(html)
    assert ["Sun 23 Nov", "£100.00"] not in rows(html)
    assert ["Mon 17 Nov", "£100.00", "20", "1"] in rows(html)
    assert ["Nov 25*", "£200.00", "40", "2"] in rows(html)
    assert "* Nov 2025 16 to 23 Nov" in html
    assert "metadata/costs.csv" in html


def test_money_without_a_comparison_shows_no_growth(sales: sa.Connection):
    html = sheet_of(sales, TabContext(State(tab="money", compare="none"), DAY))
    assert "Like for like" not in html
    assert "▲" not in html


def test_contribution_is_shown_for_the_whole_fleet_and_by_truck(sales: sa.Connection):
    sales.execute(
        sa.text("""INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES
            (NULL, 'Wages', 4000, 'day', '2025-01-01'), (NULL, 'card_fee', 2, 'percent', '2025-01-01'),
            (1, 'pitch', 2000, 'day', '2025-01-01')""")
    )
    html = sheet(sales, "money", DAY)
    assert ["Contribution", "£38.50", "38.5%"] in rows(html)  # 100 - 40 - 1.50 - 20
    assert "card fees of the chosen days £1.50" in html
    # A sale of £5 leaves £4.90: five of them pay for a pitch of £20.
    assert ["Burrito <b>Madness</b>", "£53.50", "71.3%", "5", "15"] in rows(html)
    assert ["Kings of Kebabs", "£25.00", "100.0%", "0", "5"] in rows(html)
    # On Sunday: £75.00 less £1.50 for cards and £20 for the pitch; the other truck has neither.
    assert ["Burrito <b>Madness</b>", "£54"] in rows(html)
    assert ["Kings of Kebabs", "£25"] in rows(html)
    # Of the wages truck 1 has three quarters, as of the sales.
    one = sheet(sales, "money", Scope(SUNDAY, SUNDAY, trucks=(1,)))
    assert ["Contribution", "£23.50", "31.3%"] in rows(one)
    assert "of this choice, with its share of the shared costs" in one


def test_where_profit_is_made_is_shown_by_a_dimension_of_choice(sales: sa.Connection):
    assert "This needs metadata/costs.csv" in sheet(sales, "money", DAY)
    sales.execute(
        sa.text("""INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES
            (NULL, 'Wages', 4000, 'day', '2025-01-01'), (NULL, 'card_fee', 2, 'percent', '2025-01-01'),
            (1, 'pitch', 2000, 'day', '2025-01-01')""")
    )
    html = sheet(sales, "money", DAY)
    burrito = ["Burrito <b>Madness</b>", "£75.00", "-£1.50", "-£50.00", "£23.50", "31.3%", "40.0%", "£75.00", "£30.00"]
    assert burrito in rows(html)
    assert ["In all", "£100.00", "-£1.50", "-£60.00", "£38.50", "38.5%", "40.0%", "£50.00", "£20.00"] in rows(html)
    assert 'data-choice="profit=weekday&amp;tab=money"' in html
    days = sheet(sales, "money", DAY, profit_by="weekday")
    assert [row[4] for row in rows(days) if row[0] == "Sunday"] == ["£38.50"]
    assert "This needs metadata/pitches.csv: which stays belong to an event." in sheet(
        sales, "money", DAY, profit_by="event"
    )


def test_days_on_which_a_truck_loses_money_are_highlighted(sales: sa.Connection):
    sales.execute(
        sa.text(
            "INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES (2, 'w', 2600, 'day', '2025-01-01')"
        )
    )
    html = sheet(sales, "money", Scope(date(2025, 11, 16), SUNDAY))
    assert ["Kings of Kebabs", "£24", "", "", "", "", "", "", "-£1"] in rows(html)
    assert html.count("t3-heat-cell loss") == 1
    assert "from=2025-11-23&amp;to=2025-11-23&amp;truck=2&amp;tab=money" in html


def test_month_pack_adds_up_twelve_months_and_says_what_is_missing(sales: sa.Connection):
    html = sheet(sales, "pack", DAY)
    assert ["Burrito <b>Madness</b>", "£125.00", "62.5%", "1", "", "–", "–"] in rows(html)
    assert ["All trucks", "£200.00", "100.0%", "", "", "–", "–"] in rows(html)
    assert "the data do not reach back to the year before" in html
    assert ["Like for like", "needs sales from 1 Dec 2023 on"] in rows(html)
    assert ["Nov*", "100", "£50.00", "4"] in rows(html)
    assert "100 is the mean of a truck&#x27;s day; 1 of 12 months so far" in html
    assert "No truck made its first sale in these months" in html
    assert ["Nov 2025*", "40", "0", "100.0%"] in rows(html)
    assert ["Unexplained", "-40", "-£200.00"] in rows(html)  # these sales were never in a file
    assert "does not agree: t3 doctor says where" in html
    of_cards = sheet(sales, "pack", Scope(SUNDAY, SUNDAY, payments=("card",)))
    assert of_cards.count("files are only known per truck and day") == 2


def test_month_pack_compares_with_the_year_before_and_shows_new_trucks(sales: sa.Connection):
    sales.execute(
        sa.text("""
            INSERT INTO mart.sales_hourly VALUES (2, '2023-12-01', 13, 0, 'card', 1, 100),
                (1, '2024-11-23', 13, 0, 'card', 20, 10000), (1, '2024-11-24', 13, 0, 'card', 1, 777);
        """)
    )
    html = sheet(sales, "pack", DAY)
    assert ["Burrito <b>Madness</b>", "£125.00", "62.5%", "1", "", "£100.00", "▲ 25.0% up"] in rows(html)
    assert ["Kings of Kebabs", "£75.00", "37.5%", "1", "", "£1.00", "▲ 7,400.0% up"] in rows(html)
    assert ["Trucks in both years", "2"] in rows(html)
    sales.execute(
        sa.text("""INSERT INTO mart.sales_hourly VALUES (9, '2025-11-10', 13, 0, 'card', 1, 1000),
                (9, '2025-11-17', 13, 0, 'card', 1, 5000), (9, '2025-11-18', 13, 0, 'card', 1, 2500)""")
    )
    html = sheet(sales, "pack", DAY)  # its first week lies beside 50 and 50, its second beside 75 and 25
    new = ["Truck 9 (not in details.xlsx) (from 10 Nov 2025)", "20.0%", "150.0%", "–", "–", "–"]
    assert new in rows(html)


def test_money_shows_vat_by_rate_and_what_the_return_takes_from_sales(sales: sa.Connection):
    assert "This needs a line vat in metadata/costs.csv" in sheet(sales, "money", DAY)
    sales.execute(sa.text("""
        INSERT INTO core.cost (cost, amount, per, from_date) VALUES ('vat', 20, 'percent', '2025-01-01');
        INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence, vat_pct)
        VALUES (2, 'Loaf', 'Bakery', 500, 0), (2, 'Hot pie', 'Bakery', 500, 5);
    """))  # fmt: skip
    html = sheet(sales, "money", DAY)
    assert ["20%", "£75.00", "£12.50", "£62.50"] in rows(html)
    assert ["5%", "£25.00", "£1.19", "£23.81"] in rows(html)
    assert ["Together", "£100.00", "£13.69", "£86.31"] in rows(html)
    assert "£25.00 of sales are at prices of dishes with several rates: the highest counts." in html
    assert "VAT return 2025-Q4" in html
    assert ["1: VAT due on sales", "£24.40"] in rows(html)  # and 8.33 + 2.38 the week before
    assert ["6: sales without VAT, in whole pounds", "£175"] in rows(html)
    assert "Sales are known from 16 November 2025 on only." in html
    alone = sheet(sales, "money", replace(DAY, trucks=(2,)), trucks=(2,))
    assert ["Together", "£25.00", "£1.19", "£23.81"] in rows(alone)
    assert "a VAT return is of the whole company" in alone
