"""What becomes of a row depends on the row: not on how many or which others the batch holds, not on files or clocks."""

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from t3lib.cleaning import Frames, Rulebook, RuleError, TruckFacts, rulebook
from t3lib.cleaning.allowed import OF_DETAILS, OF_MENU, looks_at
from t3lib.cleaning.outcome import outcome
from t3lib.cleaning.row_by_row import is_row_by_row
from t3lib.warehouse.files.rulesets import FLAGS
from t3lib.warehouse.load import dimension_effects
from tests.support.rulebooks import FACTS, NOON, ONE_MORE, batch, edited, with_rule

ROWS = [(f"2026-11-05 {hour:02d}:00:00+00:00", kind, f"{n}.{n:02d}")
        for n in range(1, 21) for hour, kind in ((12, "card"), (13, "cash"))]  # fmt: skip


def refusal(cell: str, *rows: tuple[str, str, str]) -> str:
    with pytest.raises(RuleError) as refused:
        rulebook.verify(with_rule(cell).state(Frames(*batch(*(rows or ROWS)), FACTS).rules()))
    assert f"See cell In [{ONE_MORE}] ({cell.splitlines()[0][:79]}" in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("frame", ["rows", "moments"])
def test_no_rule_sees_how_often_a_row_occurs(frame):
    rules = Frames(*batch(*ROWS), FACTS).rules()
    assert "times" not in getattr(rules, frame)
    for cell in (f"{frame}.times.gt(1)", f'{frame}["times"].gt(1)'):
        assert "asks how often a row occurs" in refusal(f'rules.reject("twice", "Twice.", when={cell})')


OF_OTHER_ROWS = [
    "rows.total.map(rows.total.value_counts()).gt(1)",
    "rows.pence.rank(ascending=False).le(3)",
    "rows.pence > rows.pence.mean()",
    "rows.pence.eq(rows.pence.max())",
    "rows.pence.gt(rows.pence.quantile(0.99))",
    "rows.total.duplicated(keep=False)",
    "rows.groupby('truck').pence.transform('median') > rows.pence",
    "rows.pence.gt(0) & (len(rows) > 30)",
    "rows.pence.gt(0) & (len(rows) > 3)",
    "rows.pence.gt(0) & rows.total.cat.codes.lt(3)",
    "rows.pence.gt(0) & (len(rows.total.cat.categories) > 19)",
    "moments.sold_at.eq(moments.sold_at.max()) & (len(moments) > 0)",
    "rows.total.isin(rows.total.head(3))",
    "rows.pence.lt(rows.size)",
]
COLUMNS = frozenset(Frames(*batch(), FACTS).rows()), frozenset(Frames(*batch(), FACTS).moments())


@pytest.mark.parametrize("when", OF_OTHER_ROWS)
def test_a_rule_that_asks_the_other_rows_of_the_batch_refuses_it(when):
    rows = [(f"2026-11-05 12:{n:02d}:00+00:00", kind, total) for n, (_, kind, total) in enumerate(ROWS)]
    said = refusal(f'rules.reject("other_rows", "Other rows.", when={when})', *rows)
    assert "Rule 'other_rows' catches other rows when" in said
    assert said.count("Nothing is loaded.") == 1


def test_a_cell_that_only_compares_and_computes_is_known_to_decide_row_by_row():
    own = """
words = ["test", "training"]
dear = (3 * rules.dearest_price(sold_at_least=20)).fillna(rules.limit_pence)
rules.reject("own", "Own.", when=rows.word.isin(words) | ((rows["pence"] > dear) & ~rows.on_menu))
rules.flag("early", "Early (loaded).", when=moments.sold_at < moments.window_from - pd.Timedelta("9h"))
rules.suggest("own", rows.pence // 10, when=rows.type.str.contains("train", case=False))"""
    assert [cell for cell in (*Rulebook.of_folder().cells, own) if not is_row_by_row(cell, *COLUMNS)] == []


@pytest.mark.parametrize(
    "cell",
    [
        *(f'rules.reject("own", "Own.", when={when})' for when in OF_OTHER_ROWS),
        'limits = rows.total\nrules.reject("own", "Own.", when=rows.word.isin(limits))',
        'rules.reject("own", "Own.", when=rows.pence > of_another_cell)',
        'rules.reject("own", "Own.", when=rows.total.eq("1") if len(rows) else rows.on_menu)',
        'rules.reject("own", "Own.", when=rows.word.map(lambda word: word == "x"))',
        'rules.read("total", *rows.total, as_="4.50")',
        'rows = rows.head(1)\nrules.reject("own", "Own.", when=rows.on_menu)',
        'for each in ["x"]:\n    rules.read("type", each, as_="cash")',
        'np.random.default_rng()\nrules.reject("own", "Own.", when=rows.on_menu)',
    ],
)
def test_every_other_cell_is_tried_on_parts_of_the_batch(cell):
    assert not is_row_by_row(cell, *COLUMNS)


@pytest.mark.parametrize(
    "when",
    [
        "rows.hour.gt(rows.hour.mean() + 4.5)",
        "rows.hour.lt(rows.hour.mean() - 4.5)",
        "rows.truck.gt(rows.truck.mean())",
    ],
)
def test_a_rule_that_asks_the_other_hours_or_trucks_of_the_batch_refuses_it(when):
    """Two trucks that sell at each price at each hour: no half and no single amount has other hours or trucks."""
    hours = [14, *range(9, 14), *range(15, 20)]
    rows = [(f"2026-11-05 {hour:02d}:{n}:00+00:00", "card", f"{n}.00") for n in range(10, 20) for hour in hours]
    one, two = batch(*rows), batch(*rows, truck=9)
    two = tuple(table.set_column(0, "file_id", pa.array([2] * len(table), pa.int64())) for table in two)
    raw, files = (pa.concat_tables(tables) for tables in zip(one, two, strict=True))
    stated = with_rule(f'rules.reject("far", "Far.", when={when})').state(Frames(raw, files, FACTS).rules())
    with pytest.raises(RuleError, match="Rule 'far' catches other rows when a part of the batch is not there"):
        rulebook.verify(stated)


def test_what_is_suggested_and_read_may_not_depend_on_other_rows_either():
    suggest = 'rules.suggest("not_a_number", rows.pence.fillna(0) + rows.pence.count())'
    rows = [(NOON, kind, total) for _, kind, total in ROWS] + [(NOON, "card", f"x{n}") for n in range(20)]
    assert "'not_a_number' suggests other totals when a part" in refusal(suggest, *rows)
    read = 'rules.read("total", *rows.total[rows.pence.gt(rows.pence.mean())], as_="4.50")'
    stated = Rulebook((read, *Rulebook.of_folder().cells)).state(Frames(*batch(*rows), FACTS).rules())
    with pytest.raises(RuleError, match=r"a part of the batch is not there|come out differently"):
        rulebook.verify(stated)


def test_what_was_sold_so_far_counts_the_whole_batch_in_its_halves_too():
    """A total that is read as another is counted anew."""
    read = """
rules.read("total", "x", as_="99.00")
rules.reject("rare", "Nobody pays that.", when=rows.sold.lt(12))
rules.flag("usual", "Sold often (loaded).", when=rows.sold.ge(12))"""
    rows = [(f"2026-11-05 {hour:02d}:00:00+00:00", kind, "x") for hour in range(10, 20) for kind in ("card", "cash")]
    book = Rulebook((read.strip(), *Rulebook.of_folder().cells))
    stated = book.state(Frames(*batch(*rows, (NOON, "card", "8.70")), FACTS).rules())
    assert rulebook.verify(stated) == book
    assert sorted(stated.rows["sold"]) == [1] + [20] * 20


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("open('list.txt')", "uses open: a rule only computes"),
        ("import os", "imports os: a rule may use pandas, numpy"),
        ("from urllib.request import urlopen", "imports urllib.request: a rule may use"),
        ("from t3lib import warehouse", "imports t3lib: a rule may use"),
        ("__import__('os')", "uses __import__: a rule only computes"),
        ("staff = pd.read_csv('staff.csv')", "calls read_csv: a rule reads and writes no files"),
        ("np.loadtxt('staff.csv')", "calls loadtxt: a rule reads and writes no files"),
        ("late = pd.Timestamp.now()", "calls now: a rule depends on the batch, not on the clock"),
        ("import datetime\ndatetime.date.today()", "calls today: a rule depends on the batch"),
        ("late = pd.Timestamp('now')", 'has the text "now", which pandas reads as the present time'),
        ("late = moments.sold_at > 'today'", 'has the text "today", which pandas reads as the present time'),
        ("late = pd.Timestamp('22:00')", 'reads a time from "22:00", which has no year'),
        ("some = np.random.default_rng().random()", "uses random: a rule depends on the batch, not on chance"),
        ("hash('void')", "uses hash: a rule only computes"),
        ("rules.frames.raw", "uses rules.frames: a rule is written with rules.read, rules.reject"),
        ("rows._mgr", "uses rows._mgr: names that begin with _ are not for rules"),
        ('rows["pence"] = rows.pence // 2', "changes `rows` (rows['pence']): give what you make a name"),
        ("rows.loc[rows.pence.eq(870), 'pence'] = 1", "changes `rows` (rows.loc["),
        ("rows.pence += 1", "changes `rows` (rows.pence)"),
        ("rows = rows[rows.truck.eq(4)]", "changes `rows` (rows)"),
        ("del rules.rows['word']", "changes `rules.rows` (rules.rows['word'])"),
        ("rows.rename(columns={'word': 'text'}, inplace=True)", "changes `rows` (rows.rename(...))"),
        ("rows.insert(0, 'staff', True)", "changes `rows` (rows.insert(...))"),
        ("moments['sold_at'] = pd.Timestamp('2026-11-05', tz='UTC')", "changes `moments` (moments['sold_at'])"),
        ("most = rules.reject('a_code', 'Why.', when=rows.pence.gt(1)).count", "uses what rules.reject shows"),
    ],
)
def test_a_rule_that_uses_more_than_its_batch_is_refused_with_its_cell(cell, words):
    assert f"This cell {words}" in refusal(f'{cell}\nrules.reject("mine", "Mine.", when=rows.pence.gt(100_00))')


@pytest.mark.parametrize(
    "writes",
    [
        "r['pence'] = r.pence * 2",
        "r.pence = r.pence * 2",
        "r.loc[0, 'pence'] = 1",
        "r.iloc[0, 5] = 1",
        "r.at[0, 'truck'] = 1",
        "r.insert(0, 'own', 1)",
        "r.pop('word')",
        "del r['word']",
        "r.drop(columns='word', inplace=True)",
        "r.columns = [*r.columns[1:], 'last']",
        "r.index.name = 'moment'",
        "r.pence.array[0] = 1",
        "r.pence.to_numpy(np.int64, copy=False)[0] = 1",
        "r.total.array[0] = r.total.array[1]",
        "r.payment.array[0] = 'cash'",
        "r.on_menu.array[0] = True",
        "r.on_menu.to_numpy()[0] = True",
        "r.hour.values[0] = 1",
        "r.pence.isna(); r.isna(); r.sold.array[0] = 1",
        "m.sold_at.array[0] = m.sold_at.array[1]",
        "m['sold_at'] = m.uploaded_at",
        "r.update(pd.DataFrame({'sold': [7]}))",
        "np.copyto(r.sold.array.to_numpy(), 7)",
    ],
)
def test_a_rule_that_writes_under_another_name_is_refused_with_its_cell(writes):
    cell = f'r, m = rows, moments\n{writes}\nrules.flag("mine", "Mine (loaded).", when=rows.pence.gt(0))'
    rules = Frames(*batch(*ROWS), FACTS).rules()
    with pytest.raises(RuleError, match=rf"writes nothing into them.*See cell In \[{ONE_MORE}\] \(r, m"):
        with_rule(cell).state(rules)


def test_a_rule_may_change_what_it_made_itself():
    cell = """
mine = rows[["pence", "hour"]]
mine["double"] = mine.pence * 2
pence, hour = rows.pence.copy(), rows.hour.to_numpy(copy=True)
pence[0], hour[0] = 1, 3
rules.flag("mine", "Mine (loaded).", when=mine.double.gt(0) & rows.isna().any(axis=1))"""
    book = with_rule(cell.strip())
    assert rulebook.verify(book.state(Frames(*batch(*ROWS), FACTS).rules())) == book


def test_a_rule_may_use_what_only_computes():
    cell = """import re
from datetime import date
first = pd.Timestamp("2026-11-05", tz="UTC")
early = moments.sold_at < max(first, pd.Timestamp(date(2026, 11, 5), tz="UTC"))
rules.reject("early", "Before the first day.", when=early)
for word in ("voucher", "gift card"):
    rules.read("type", word, as_="cash")
rules.flag("odd", "An odd total (loaded).", when=rows.total.map(lambda text: bool(re.search("7$", text))).eq(True))"""
    book = with_rule(cell)
    assert rulebook.verify(book.state(Frames(*batch(*ROWS), FACTS).rules())) == book


@pytest.mark.parametrize(
    ("code", "row", "words"),
    [
        ("unknown_payment_type", (NOON, "cheque", "8.70"),
         ["1 row has no payment", "rules.read", 'rules.reject("unknown_payment_type"',
          'cell In [4] (rules.read("type", "card", as_="card")), cell In [5] (rules.read("type", "cash"']),
        ("not_a_number", (NOON, "card", "seven"),
         ["1 row has no amount", 'rules.reject("not_a_number"', 'cell In [12] (rules.reject("negative"']),
        ("bad_timestamp", ("soon", "card", "8.70"),
         ["1 row has no time", 'rules.reject("bad_timestamp"', "cell In [16] (too_late"]),
    ],
)  # fmt: skip
def test_rows_that_no_rule_rejects_any_more_name_the_cells_about_them(code, row, words):
    book = edited({code: ""})
    with pytest.raises(RuleError) as refused:
        book.clean(*batch(row), FACTS, {"card_without_reader": 1, "outside_batch_window": 2, "unknown_truck": 4})
    assert [word for word in [*words, str(list(row)), "Nothing is loaded."] if word not in str(refused.value)] == []


def test_parts_of_a_batch_keep_the_menu_of_each_row_also_where_totals_are_read_anew():
    """The same row of two days is on the menu of one only: it is no other row in half of the batch."""
    facts = TruckFacts(prices={4: {1_00}}, known=frozenset({4}), earlier=((date(2026, 11, 5), {4: {99_00}}),))
    cell = """
rules.read("total", "x", as_="99.00")
rules.reject("off_menu", "Not on the menu of its day.", when=~rows.on_menu)
rules.flag("dear", "Half of the dearest (loaded).", when=rows.pence * 2 > rules.dearest_price(1))"""
    days = [f"2026-{day} {hour:02d}:00:00+00:00" for day in ("10-29", "11-05") for hour in (11, 12, 13)]
    rows = [(day, kind, total) for day in days for kind in ("card", "cash") for total in ("x", "99.00", "1.00", "?")]
    stated = Rulebook((*Rulebook.of_folder().cells[:2], cell.strip())).state(Frames(*batch(*rows), facts).rules())
    rulebook.verify(stated)
    assert stated.rows["on_menu"].sum() == 6 * 2 + 6
    assert "menu" not in stated.rows
    assert (stated.stated["off_menu"].caught == ~stated.rows["on_menu"]).all()
    assert stated.dearest_price(1).value_counts().to_dict() == {99_00: 24, 1_00: 24}


@pytest.mark.parametrize(
    ("cell", "facts"),
    [
        ("rows.total.eq('0.01') & rows['truck'].eq(4) & rows.sold.gt(3)", set()),
        ("moments.sold_at > moments.uploaded_at", set()),
        ("rows.pence > rules.limit_pence", set()),
        ("rows.has_menu & ~rows['on_menu']", {"has_menu", "on_menu"}),
        ("rules.rows.pence > 3 * rules.dearest_price(20)", {"dearest_price"}),
        ("rows.in_details", {"in_details"}),
        ("rows.eval('~on_menu')", OF_MENU | OF_DETAILS),
        ("rows.iloc[:, 12]", OF_MENU | OF_DETAILS),
        ("rows[['on_menu', 'has_menu']].all(axis=1)", OF_MENU | OF_DETAILS),
        ("getattr(rows, 'on_' + 'menu')", OF_MENU | OF_DETAILS),
        ("(own := rows).on_menu", OF_MENU | OF_DETAILS),
        ("(own := rules).rows.on_menu", OF_MENU | OF_DETAILS),
    ],
)
def test_what_a_cell_looks_at_of_menus_and_details_is_known(cell, facts):
    assert looks_at(f'rules.reject("own", "Own.", when={cell})') == facts


def test_the_notebooks_cells_about_menus_and_details_are_served_without_cleaning_again():
    """A cell that is edited on purpose is not, until dimension_effects has its hash and does what it says."""
    served = dimension_effects._served(Rulebook.of_folder())
    assert served.keys() == {"decimal_shift", "above_limit", "card_without_reader", "unknown_truck"}
    assert all(f'("{code}"' in cell for code, cell in served.items())
    assert {cell for cell in Rulebook.of_folder().cells if looks_at(cell)} == set(served.values())
    dearer = edited({"above_limit": served["above_limit"].replace("5 *", "6 *")})
    assert dimension_effects._served(dearer).keys() == served.keys() - {"above_limit"}


def test_a_cell_that_changes_the_rows_may_look_at_everything():
    for change in ("rows['pence'] = 5", "rows.pence = 5", "rows = rows[rows.pence > 5]"):
        assert looks_at(f'{change}\nrules.reject("own", "Own.", when=rows.pence.gt(5))') == OF_MENU | OF_DETAILS


def test_a_time_that_cannot_be_read_is_never_a_sale_whatever_the_moments_say():
    stated = edited({"bad_timestamp": ""}).state(Frames(*batch(("soon", "card", "8.70")), FACTS).rules())
    pd.DataFrame.__setitem__(stated.moments, "sold_at", stated.moments.uploaded_at)
    with pytest.raises(RuleError, match="1 row has no time"):
        outcome(stated, FLAGS)
