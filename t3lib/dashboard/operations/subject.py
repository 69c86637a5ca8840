"""The subject of a request as its form shows it: facts, and the initial values of the fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import sqlalchemy as sa

from t3lib.dashboard.html.cards import alert
from t3lib.dashboard.operations import cells
from t3lib.dashboard.operations.choices import Choices
from t3lib.money import pounds
from t3lib.operator_requests import KINDS
from t3lib.problems import RefusedError
from t3lib.settlements.causes import said
from t3lib.warehouse.decisions import rejects

_FILE = sa.text("""
    SELECT key, state, truck_id, batch_date, rows_loaded, rows_rejected, pence_loaded, reason
    FROM ops.source_file WHERE key = :key
    ORDER BY version DESC NULLS LAST LIMIT 1
""")
_MAIL = sa.text("SELECT subject, recipient, state, attempts, reply FROM ops.mail_outbox WHERE mail_id = :mail")
_BATCH = sa.text("SELECT files, attempt, state, error FROM ops.batch WHERE batch_id = :batch")
_ITEM = sa.text("""
    SELECT state, cause, truck_id, min(business_date) AS first_day, sum(pence)::bigint AS pence FROM mart.settled_daily
    WHERE item = :item GROUP BY state, cause, truck_id ORDER BY sum(pence) DESC LIMIT 1
""")
Facts = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """The subject of a form: kind, fixed fields, facts and initial values; or an error message."""

    kind: str
    about: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    error_message: str = ""

    def html(self) -> str:
        """Title, explanation and facts."""
        kind = KINDS[self.kind]
        facts = "".join(f"<dt>{escape(name)}</dt><dd>{_fact(value)}</dd>" for name, value in self.facts.items())
        inside = f'<dl class="t3-facts">{facts}</dl>' if facts else ""
        return (
            f'<h2 class="t3-title" tabindex="-1" data-form="{escape(self.kind)} {escape(str(self.about))}">'
            f'{escape(kind.title)}</h2><p class="t3-fresh">{escape(kind.does)}</p>{inside}{alert(self.error_message)}'
        )


def read(db: sa.Connection, choices: Choices) -> Subject | None:
    """The subject of the request whose form is open; None without one."""
    if not choices.do:
        return None
    kind = KINDS[choices.do]
    try:
        fixed = {known.name: known.value(dict(choices.about).get(known.name))
                 for known in kind.fields if known.look == "fixed"}  # fmt: skip
        facts, initial = _about(db, choices, fixed)
    except RefusedError as error:
        return Subject(choices.do, choices.about, error_message=str(error).split(": `t3")[0])
    return Subject(choices.do, choices.about, facts, initial)


def _about(db: sa.Connection, choices: Choices, fixed: Facts) -> tuple[Facts, Facts]:
    if "file" in fixed:
        return _row(rejects.show(db, fixed["file"], fixed["row"]))
    if "key" in fixed:
        return _file(_one(db, _FILE, fixed, f"There is no file {fixed['key']}.")), {}
    if "mail" in fixed:
        return _one(db, _MAIL, fixed, f"There is no mail {fixed['mail']}."), {}
    if "item" in fixed:
        return _item(_one(db, _ITEM, fixed, f"There is no item {fixed['item']}."), fixed["item"]), {}
    if fixed.get("batch"):
        return _one(db, _BATCH, fixed, f"There is no batch {fixed['batch']}."), {}
    scope = choices.scope
    days = {"first": scope.first, "last": scope.last}
    initial = days | {"mode": "missing", "truck": choices.truck, "reason": choices.reason}
    return {name: value for name, value in fixed.items() if value}, initial


def _item(found: Facts, item: str) -> Facts:
    amount = f"{pounds(found['pence'])} {found['state'].replace('_', ' ')}"
    return {"Item": item, "Amount": amount, "Truck": found["truck_id"] or "fleet", "Day": found["first_day"],
            "What it is": said(found["cause"])}  # fmt: skip


def _row(row: Facts) -> tuple[Facts, Facts]:
    facts = {"File": row["key"], "Row": row["row_number"], "Truck": row["truck_id"], "Day": row["business_date"],
             "Time": cells.raw(row["raw_timestamp"]), "Payment": cells.raw(row["raw_type"]),
             "Total": cells.raw(row["raw_line"] or row["raw_total"]), "Why": row["sentence"]}  # fmt: skip
    if row["suggested_pence"]:
        facts["Suggested"] = pounds(row["suggested_pence"])
    facts["Status"] = row["status"]
    if row["decisions"]:
        last = row["decisions"][-1]
        facts["Latest decision"] = f"{last['action']} by {last['actor']}: {last['why']}"
    return facts, {"accept": bool(row["suggested_pence"]), "suggested": row["suggested_pence"]}


def _file(file: Facts) -> Facts:
    return {"File": file["key"], "State": file["state"].replace("_", " "), "Truck": file["truck_id"],
            "Batch of": file["batch_date"], "Sales": file["rows_loaded"], "Gross sales": pounds(file["pence_loaded"]),
            "Rejected": file["rows_rejected"]} | ({"Why": file["reason"]} if file["reason"] else {})  # fmt: skip


def _one(db: sa.Connection, query: sa.TextClause, fixed: Facts, missing: str) -> Facts:
    row = db.execute(query, fixed).mappings().one_or_none()
    if row is None:
        raise RefusedError(missing)
    is_read = query is _FILE or query is _ITEM  # their facts are made of these
    return {name if is_read else name.capitalize(): value for name, value in row.items()}


def _fact(value: Any) -> str:
    found = cells.written(value)
    if isinstance(found, str):
        return escape(found)
    inside = found.text if found.html else escape(found.text)
    return f'<span class="{found.classes}">{inside}</span>'
