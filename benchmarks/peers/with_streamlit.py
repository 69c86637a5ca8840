"""The dashboard's first page as a Streamlit script: the same figures, tiles, charts and tables, read by the same code.

`dashboard.py` runs it in the peers' environment. An open page polls the watermark as often as T3's."""

from dataclasses import asdict

import altair as alt
import pandas as pd
import streamlit as st

from t3lib import metrics, warehouse
from t3lib.charts import echarts
from t3lib.dashboard import formatting
from t3lib.dashboard.html.tiles import MEASURES
from t3lib.dashboard.state import PAYMENTS, PRESETS, State
from t3lib.dashboard.view import View, read
from t3lib.metrics.glossary import GLOSSARY


def page() -> None:
    """Choices, tiles, charts, tables."""
    st.set_page_config(page_title="T3 in Streamlit", layout="wide")
    with warehouse.connect() as db:
        names = metrics.trucks(db)
    presets = [name for name in PRESETS if name != "custom"]
    preset = st.radio("Range", presets, presets.index(st.query_params.get("range", "today")), horizontal=True)
    payment = st.radio("Payment", list(PAYMENTS), format_func=PAYMENTS.get, horizontal=True)
    chosen = st.pills("Trucks", list(names), format_func=names.get, selection_mode="multi")
    with warehouse.connect() as db:
        view = read(db, State(preset=preset, payment=payment, trucks=tuple(chosen)))
    _follow(view.freshness.version)
    st.header(formatting.period(view.scope))
    st.caption(f"loaded {formatting.clock(view.freshness.loaded_at, view.today)}, {view.quality.files:,} files, "
               f"{view.quality.rows_rejected:,} of {view.quality.rows_read:,} rows rejected")  # fmt: skip
    _tiles(view)
    hours, beside = st.columns([2, 1])
    with hours:
        _hours(view)
    with beside:
        for item in view.attention:
            st.warning(item.text)
        st.dataframe(view.payments, hide_index=True)
    st.dataframe(view.trucks.merge(view.states, on="truck_id", how="left"), hide_index=True)
    st.dataframe(view.heat.pivot_table(index="truck", columns="local_hour", values="gross_sales_pence"))
    _days(view)


def _follow(version: int) -> None:
    @st.fragment(run_every=1)
    def look() -> None:
        with warehouse.connect() as db:
            if metrics.freshness(db).version != version:
                st.rerun()

    look()


def _tiles(view: View) -> None:
    before = asdict(view.before) if view.before else {}
    for column, measure in zip(st.columns(4), MEASURES, strict=True):
        now, then = getattr(view.totals, measure.field), before.get(measure.field)
        change = None if None in (now, then) else f"{now - then:,.0f}"
        column.metric(GLOSSARY[measure.field].name, "–" if now is None else measure.write(now), change)


def _hours(view: View) -> None:
    shown = echarts.hours_between([*view.hours["local_hour"], *view.usual_hours["local_hour"]])
    frame = pd.DataFrame({"hour": [f"{hour:02d}" for hour in shown]})
    for name, part in (("now", view.hours), ("usual", view.usual_hours)):
        pence = dict(zip(part["local_hour"], part["gross_sales_pence"], strict=True))
        frame[name] = [pence.get(hour, 0) / 100 for hour in shown]
    base = alt.Chart(frame).encode(x=alt.X("hour", sort=None))
    st.altair_chart(base.mark_bar().encode(y="now") + base.mark_line(interpolate="step").encode(y="usual"))


def _days(view: View) -> None:
    frame = view.days.assign(pounds=view.days["gross_sales_pence"] / 100, day=view.days["business_date"].astype(str))
    st.altair_chart(alt.Chart(frame).mark_bar().encode(x=alt.X("day", sort=None), y="pounds"))


page()
