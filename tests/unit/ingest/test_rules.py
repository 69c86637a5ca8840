"""Rules as cells state them: what they catch, in which order, and what is refused."""

import json

import pandas as pd
import pytest

from t3lib.cleaning import Frames, Rulebook, RuleError, rulebook
from t3lib.cleaning.examples import check
from t3lib.cleaning.outcome import outcome
from t3lib.problems import RefusedError
from t3lib.settings import settings
from t3lib.warehouse.files.rulesets import FLAGS
from tests.support.rulebooks import FACTS, NOON, ONE_MORE, batch, edited, names_a_truck, with_rule

LATE = "2026-11-05 22:00:00+00:00"


def becomes(book: Rulebook, *rows: tuple[str, str, str]) -> list[tuple]:
    """(row number, reason or pence and payment) of each row."""
    bits = FLAGS | {code: 8 for code, rule in book.stated().items() if not rule.rejects and code not in FLAGS}
    cleaned = book.clean(*batch(*rows), FACTS, bits)
    sales = [(row["row_number"], row["total_pence"], row["payment_type"]) for row in cleaned.sales.to_pylist()]
    return sorted([*sales, *((row["row_number"], row["reason"]) for row in cleaned.rejects.to_pylist())])


def test_a_rule_of_ones_own_is_a_line():
    own = 'rules.reject("of_ones_own", "Nobody sells for that.", when=rows.total.eq("0.03") & rows.truck.eq(4))'
    rows = (NOON, "card", "0.03"), (NOON, "card", "8.70")
    assert becomes(Rulebook.of_folder(), *rows) == [(1, 3, "card"), (2, 870, "card")]
    assert becomes(with_rule(own), *rows) == [(1, "of_ones_own"), (2, 870, "card")]


def test_a_rule_may_ask_for_the_weekday_and_the_hour():
    night = 'rules.reject("night", "The truck is closed then.", when=rows.hour.ge(22) & rows.weekday.eq("Thursday"))'
    assert becomes(with_rule(night), (NOON, "cash", "8.70"), (LATE, "cash", "8.70")) == [(1, 870, "cash"), (2, "night")]


@pytest.mark.parametrize("asked", ["rows.tip", "rows['tip']", "rows[['truck', 'tip']]['tip']"])
def test_a_rule_about_a_column_that_is_not_there_is_told_which_there_are(asked):
    words = r"`rows` have no column 'tip': .*There are truck, cells_differ, type, total, .*Of a file T3 reads timestamp"
    with pytest.raises(RuleError, match=rf"{words}.*See cell In \[\d+\] \(rules\.flag"):
        with_rule(f'rules.flag("tipped", "A tip (loaded).", when={asked}.eq("1"))').stated()
    rules = Frames(*batch((NOON, "card", "8.70")), FACTS).rules()
    assert isinstance(rules.rows, pd.DataFrame)
    with pytest.raises(AttributeError, match="did you mean total"):  # as the notebook shows it
        _ = rules.rows.totals
    with pytest.raises(KeyError, match="`moments` have no column 'total'"):
        _ = rules.moments["total"]
    assert not hasattr(rules.rows, "_repr_mimebundle_")


def test_a_text_is_read_as_a_payment():
    voucher = 'rules.read("type", "voucher", as_="cash")'
    row = (NOON, " Voucher", "8.70")
    assert becomes(Rulebook.of_folder(), row) == [(1, "unknown_payment_type")]
    assert becomes(Rulebook((voucher, *Rulebook.of_folder().cells)), row) == [(1, 870, "cash")]


@pytest.mark.parametrize(
    ("cell", "row", "code"),
    [
        ('rules.read("type", "voucher", as_="cash")', (NOON, "voucher", "8.70"), "unknown_payment_type"),
        ('rules.read("total", "void", as_="8.70")', (NOON, "card", "VOID"), "void"),
    ],
)
def test_a_text_that_is_read_below_the_rule_that_rejects_it_is_refused(cell, row, code):
    with pytest.raises(RuleError, match=f"5 of these rows are rejected above by {code}: put this cell above it"):
        becomes(with_rule(cell), *[row] * 5)


def test_a_text_may_be_read_below_a_rule_that_does_not_look_at_it():
    cells = Rulebook.of_folder().cells
    number = next(n for n, cell in enumerate(cells) if "unknown_payment_type" in cell)
    book = Rulebook((*cells[:number], 'rules.read("type", "voucher", as_="cash")', *cells[number:]))
    rows = (NOON, "voucher", "VOID"), (NOON, "voucher", "8.70")
    assert becomes(book, *rows) == [(1, "void"), (2, 870, "cash")]


def test_a_suggestion_is_a_line():
    half = 'rules.suggest("above_limit", rows.pence // 10, when=rows.pence.mod(10).eq(0))'
    cleaned = with_rule(half).clean(*batch((NOON, "card", "87.00"), (NOON, "card", "87.01")), FACTS, FLAGS)
    assert cleaned.rejects["suggested_pence"].to_pylist() == [870, None]


def test_a_flag_of_ones_own_is_a_line():
    book = with_rule('rules.flag("round", "A round sum (loaded).", when=rows.pence.mod(100).eq(0))')
    cleaned = book.clean(*batch((NOON, "card", "8.00"), (NOON, "card", "8.70")), FACTS, FLAGS | {"round": 8})
    assert cleaned.sales["flags"].to_pylist() == [8, 0]


@pytest.mark.parametrize(
    ("code", "row", "without"),
    [
        ("void", (NOON, "card", "VOID"), "not_a_number"),
        ("decimal_shift", (NOON, "card", "870"), "above_limit"),
        ("above_limit", (NOON, "card", "99"), 9900),
        ("too_old", ("2014-12-31 12:00:00+00:00", "card", "8.70"), 870),
        ("future", ("2027-01-01 12:00:00+00:00", "card", "8.70"), 870),
    ],
)
def test_taking_a_rule_out_changes_the_outcome(code, row, without):
    assert becomes(Rulebook.of_folder(), row) == [(1, code)]
    assert becomes(edited({code: ""}), row)[0][1] == without


@pytest.mark.slow  # it takes every cell out
@pytest.mark.parametrize("number", [n for n, cell in enumerate(Rulebook.of_folder().cells) if not names_a_truck(cell)])
def test_without_any_one_cell_of_the_notebook_something_else_becomes_of_some_row(number):
    """The rows are the notebook's examples, and a sale of a truck that is not in details.xlsx."""
    cells, examples = Rulebook.of_folder().cells, rulebook.examples(json.loads(rulebook.NOTEBOOK.read_text()))

    def flags(book: Rulebook) -> list[int]:
        check(book, examples)
        return book.clean(*batch((NOON, "cash", "4.99"), truck=9), FACTS, FLAGS).sales["flags"].to_pylist()

    assert flags(Rulebook(cells)) == [FLAGS["unknown_truck"]]
    with pytest.raises((RuleError, AssertionError)):
        assert flags(Rulebook(cells[:number] + cells[number + 1 :])) == [FLAGS["unknown_truck"]]


def test_the_first_rule_that_rejects_a_row_gives_its_reason():
    earlier = 'rules.reject("no_voids", "Voids are counted first.", when=rows.word.eq("void"))'
    assert becomes(with_rule(earlier), (NOON, "card", "VOID")) == [(1, "void")]
    assert becomes(Rulebook((earlier, *Rulebook.of_folder().cells)), (NOON, "card", "VOID")) == [(1, "no_voids")]


def test_a_rule_shows_how_many_rows_it_catches_and_three_of_them():
    rows = [(NOON, "card", "VOID")] * 5 + [(NOON, kind, "ERR") for kind in ("card", "cash", "cheque", "x")]
    rules = Frames(*batch(*rows), FACTS).rules()
    first = rules.reject("void", "The sale was voided.", when=rules.rows.word.eq("void"))
    second = rules.reject("any", "No amount at all.", when=rules.rows.pence.isna())
    third = rules.reject("night", "Too late.", when=rules.moments.sold_at.notna())
    assert (first.count, second.count, third.count) == (5, 4, 0)
    assert first.examples.to_dict("records") == [{"truck": 4, "total": "VOID", "type": "card", "rows": 5}]
    assert len(second.examples) == 3
    assert "<b>void</b>: 5 rows" in first._repr_html_()
    assert repr(third) == "night: 0 rows of this batch. All 9 that it is about are rejected above. Too late."
    rare = rules.flag("rare", "Nobody pays that (loaded).", when=rules.rows.total.eq("1"))
    assert repr(rare) == "rare: 0 rows of this batch. Nobody pays that (loaded)."
    (one,) = (Frames(*batch(row), FACTS).rules() for row in rows[:1])
    assert repr(one.reject("void", "A void.", when=one.rows.word.eq("void"))).startswith("void: 1 row of this batch.")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('rules.reject("no_column", "Wrong.", when=rows.price.eq(1))', "no column 'price'"),
        ('rules.reject("wrong_length", "Wrong.", when=rows.pence.head(1).gt(0))', "has 1 values"),
        ('rules.reject("no_labels", "Wrong.", when=pd.Series(rows.pence.gt(0).to_numpy()))', "has lost the labels"),
        ('rules.reject("sorted", "Wrong.", when=rows.pence.sort_values().gt(0))', "or the order of `rows`"),
        ('rules.reject("no_yes_or_no", "Wrong.", when=rows.pence)', "yes and no"),
        ('rules.reject("Bad Code", "Wrong.", when=rows.pence.gt(0))', "a code is lower case"),
        ('rules.reject("no_stop", "Wrong", when=rows.pence.gt(0))', "ends with a full stop"),
        ('rules.read("type", "voucher", as_="paper")', "not one of card, cash"),
        ('rules.read("type", as_="cash")', r'write the texts one by one, as in rules.read\(.type., "a", "b"'),
        ('rules.read("type", ["voucher", "gift"], as_="cash")', "write the texts one by one"),
        ('rules.read("price", "1", as_="cash")', "rows have no column 'price'"),
        ('rules.suggest("unheard_of", rows.pence)', "no rule about rows above is called"),
        ('rules.suggest("above_limit", rows.pence.iloc[:1])', "the suggestion is to be a column made from all"),
        ('rules.suggest("above_limit", rows.pence, when=moments.sold_at.notna())', "`when` is to be a column made"),
        ('rules.reject("loaded", "Wrong.", when=rows.pence.gt(0))', "cannot be called 'loaded'"),
        ('rules.reject("void", "Again.", when=rows.pence.gt(0))', "stated twice"),
    ],
)
def test_a_rule_that_cannot_be_applied_is_refused_with_its_cell(cell, message):
    with pytest.raises(RuleError, match=message) as refused:
        becomes(with_rule(cell), (NOON, "card", "8.70"), (NOON, "cash", "5.00"))
    assert f"cell In [{ONE_MORE}] (rules." in str(refused.value)


@pytest.mark.parametrize(
    "cell",
    [
        'rules.reject("by_order", "Order.", when=rows.pence.gt(0) & (np.arange(len(rows)) < len(rows) / 2))',
        'rules.reject("by_order", "Order.", when=rows.total.eq(rows.total.iloc[0]))',
    ],
)
def test_a_rule_of_order_refuses_the_batch_with_its_cell(cell):
    rows = [(NOON, "card", f"{n}.{n:02d}") for n in range(1, 41)]
    stated = with_rule(cell).state(Frames(*batch(*rows), FACTS).rules())
    with pytest.raises(RuleError, match=rf"another order.* See cell In \[{ONE_MORE}\] \(rules.reject\(\"by_order"):
        rulebook.verify(stated)


def test_a_cell_without_a_rule_cannot_change_amounts():
    stated = Rulebook.of_folder().state(Frames(*batch((NOON, "card", "8.70")), FACTS).rules())
    half = stated.rows["pence"] // 2
    with pytest.raises(RefusedError, match="writes nothing into them"):
        stated.rows["pence"] = half
    pd.DataFrame.__setitem__(stated.rows, "pence", half)
    with pytest.raises(RuleError, match="a cell without a rule changes `rows`"):
        rulebook.verify(stated)


@pytest.mark.parametrize(
    "cell",
    [
        "for each in [rules]:\n    each.reject('hidden', 'Hidden.', when=rows.pence.gt(1_00))",
        "a, b = rules, 1\na.reject('hidden', 'Hidden.', when=rows.pence.gt(1_00))",
        "from functools import partial\npartial(rules.reject)('hidden', 'Hidden.', when=rows.pence.gt(1_00))",
        "getattr(rules, 'reject')('hidden', 'Hidden.', when=rows.pence.gt(1_00))",
    ],
)
def test_a_rule_that_only_the_notebook_would_apply_refuses_the_batch(cell):
    stated = with_rule(cell).state(Frames(*batch((NOON, "card", "8.70")), FACTS).rules())
    with pytest.raises(RuleError, match=rf"another name than `rules`.*See cell In \[{ONE_MORE}\] \("):
        rulebook.verify(stated)


def test_a_payment_that_is_read_by_order_refuses_the_batch():
    cell = 'rules.read("type", "voucher", as_="cash" if list(rows.total)[:1] == ["1.01"] else "card")'
    rows = ((NOON, "voucher", f"{n}.{n:02d}") for n in range(1, 41))
    with pytest.raises(RuleError, match="order, clock or chance"):
        becomes(Rulebook((cell, *Rulebook.of_folder().cells)), *rows)


def test_what_is_compared_is_verified_too():
    cell = 'rules.reject("by_order", "Order.", when=rows.total.isin(list(rows.total)[:1]))'
    rows = ((NOON, "card", f"{n}.{n:02d}") for n in range(1, 41))
    with pytest.raises(RuleError, match="another order"):
        becomes(with_rule(cell), *rows)


@pytest.mark.parametrize("cell", ['rules.reject("void", = = "A void.")', '%time rules.reject("void", "Void.")'])
def test_a_cell_that_is_not_python_is_never_passed_over(cell):
    notebook = json.loads(rulebook.NOTEBOOK.read_text())
    notebook["cells"].append({"cell_type": "code", "source": cell, "metadata": {}})
    number = sum(cell["cell_type"] == "code" for cell in notebook["cells"])
    with pytest.raises(RuleError, match=rf"is not plain Python.*See cell In \[{number}\]"):
        Rulebook.of_notebook(notebook)


def test_a_cell_that_is_there_twice_is_refused():
    notebook = json.loads(rulebook.NOTEBOOK.read_text())
    notebook["cells"].append(next(cell for cell in notebook["cells"] if "rules.read(" in cell["source"][0]))
    with pytest.raises(
        RuleError, match=r"twice in 2_clean.ipynb: take cell In \[\d+\] \(rules.read\(\"type\", \"card\""
    ):
        Rulebook.of_notebook(notebook)


def test_a_cell_that_was_edited_and_run_again_takes_the_place_of_the_one_before():
    rules = Frames(*batch((NOON, "card", "8.70")), FACTS).rules()
    before = Rulebook(('rules.reject("dear", "Too dear.", when=rows.pence.gt(1))',))
    after = Rulebook(('rules.reject("dear", "Too dear.", when=rows.pence.gt(900))',))
    before.state(rules)
    rules.restated.clear()
    with pytest.raises(RuleError, match="stated twice"):  # in one book of rules it is a mistake
        after.state(rules)
    assert rules.sources == list(after.cells)


def test_without_an_answer_of_git_no_rules_are_in_force(monkeypatch):
    monkeypatch.delenv("T3_EDITED_NOTEBOOKS")
    settings.cache_clear()
    monkeypatch.setattr("t3lib.checkout.git", lambda *arguments: None)
    monkeypatch.setattr("t3lib.checkout.exists", lambda *root: True)
    with pytest.raises(RuleError, match="the rules in force are not known"):
        Rulebook.in_force()


def test_rules_that_only_look_at_the_batch_are_verified():
    rows = [(NOON, "card", f"{n}.{n:02d}") for n in range(1, 41)] + [("soon", "x", "VOID")]
    stated = Rulebook.of_folder().state(Frames(*batch(*rows), FACTS).rules())
    assert rulebook.verify(stated) == Rulebook.of_folder()


def test_a_row_that_is_no_sale_and_that_no_rule_rejects_stops_the_batch():
    with pytest.raises(RuleError, match=r"1 row has no payment .* no rule rejects it"):
        becomes(edited({"unknown_payment_type": ""}), (NOON, "cheque", "8.70"))


VOID = 'rules.examples(("2026-11-05 12:00:00+00:00", "card", "VOID", "void"))'


@pytest.mark.parametrize(
    ("cell", "tags", "words"),
    [
        (
            VOID.replace('"void"', '"£4.99 card"'),
            ["examples"],
            r"becomes 'void', not '£4\.99 card'.*See cell In \[{0}\]",
        ),
        (VOID, [], r"tag `examples` .*give it to cell In \[{0}\] \(rules.examples"),
        (VOID + '\nrules.flag("odd", "Odd.", when=rows.pence.gt(9))', ["examples"], r"states no rules.*In \[{0}\]"),
        ("rules.limit_pence", ["examples"], r"has no example: write rules.examples\(...\) in cell In \[{0}\]"),
    ],
)
def test_an_example_is_right_and_stands_in_a_cell_with_its_tag(cell, tags, words):
    notebook = json.loads(rulebook.NOTEBOOK.read_text())
    assert len(rulebook.examples(notebook)) == 18
    notebook["cells"].append({"cell_type": "code", "source": cell, "metadata": {"tags": tags}})
    number = sum(cell["cell_type"] == "code" for cell in notebook["cells"])
    with pytest.raises(RuleError, match=words.format(number)):
        rulebook.examples(notebook)


def test_no_worker_begins_under_rules_that_contradict_their_examples(tmp_path, monkeypatch):
    notebook = json.loads(rulebook.NOTEBOOK.read_text())
    assert Rulebook.in_force(checked=True) == Rulebook.of_notebook(notebook)
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace('["void", "voided"]', '["cancelled"]')
    changed = tmp_path / "2_clean.ipynb"
    changed.write_text(json.dumps(notebook))
    monkeypatch.setattr(rulebook, "NOTEBOOK", changed)
    with pytest.raises(RuleError, match="becomes 'not_a_number', not 'void'"):
        Rulebook.in_force(checked=True)


def test_columns_of_rows_and_of_moments_are_told_apart_when_both_have_one_length():
    rules = Frames(*batch((NOON, "card", "8.70"), (LATE, "card", "9.70")), FACTS).rules()
    assert len(rules.rows) == len(rules.moments)
    rules.reject("late", "Too late.", when=rules.moments.sold_at > pd.Timestamp(NOON))
    rules.reject("dear", "Too dear.", when=rules.rows.pence.gt(870))
    assert [rule.of_moments for rule in rules.stated.values()] == [True, False]


def test_the_hash_tells_one_text_of_the_rules_from_another():
    book = Rulebook.of_folder()
    assert (len(book.hash), book.hash == with_rule("rules.limit_pence").hash) == (12, False)
    assert outcome(book.state(Frames(*batch(), FACTS).rules()), FLAGS).sales.num_rows == 0
