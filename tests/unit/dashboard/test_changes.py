"""Changes as a notebook shows them."""

from datetime import date, timedelta

from t3lib.charts import changes

FIRST = date(2026, 11, 5)


def day(number: int, before: int, after: int) -> dict:
    return {"truck_id": 3, "business_date": FIRST + timedelta(days=number), "rows_before": 2, "rows_after": 1,
            "pence_before": before, "pence_after": after}  # fmt: skip


def test_a_day_is_shown_before_and_after_in_pounds_with_its_truck():
    table = changes.by_day_and_truck([day(0, 1199, 499)], {3: "Kings & Queens"})
    assert table.iloc[0].tolist() == ["Thu 5 Nov 2026", "Kings & Queens", "2", "1", "-1", "£11.99", "£4.99", "-£7.00"]
    page = changes.Shown(("What <changed>:", table))._repr_html_()
    assert "What &lt;changed&gt;:" in page
    assert '<td style="text-align: left">Kings &amp; Queens</td>' in page
    assert '<td style="text-align: right">-£7.00</td>' in page


def test_days_beyond_the_first_are_summed_and_all_are_added_up():
    table = changes.by_day_and_truck([day(number, 0, 100) for number in range(100)], {})
    assert len(table) == changes.MOST + 1
    assert table.iloc[-2].tolist() == ["61 more", "", "122", "61", "-61", "£0.00", "£61.00", "+£61.00"]
    assert table.iloc[-1].tolist() == ["together", "", "200", "100", "-100", "£0.00", "£100.00", "+£100.00"]
