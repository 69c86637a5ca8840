"""Every record of a file is proved against its lines; a row that does not fit the header is never guessed."""

import pytest

from t3lib import feed
from t3lib.feed.metadata import read_metadata

DAY = "2026-11-05 "
NOTED = "timestamp,type,total,note\n"
THREE = "timestamp,type,total"
PLAIN = f"{THREE}\n"


def sale(clock: str, *cells: str) -> str:
    return ",".join([f"{DAY}{clock}", *cells]) + "\n"


def rows(text: str) -> list[dict]:
    return feed.read("x.csv", text.encode()).to_pylist()


def totals(text: str) -> list[str | None]:
    return [row["total"] for row in rows(text)]


def refusal(text: str) -> str:
    with pytest.raises(feed.FeedError) as error:
        rows(text)
    assert error.value.state == "unreadable"
    return str(error.value)


def test_unclosed_quotes_that_pair_up_are_refused_with_their_lines():
    text = NOTED + sale("13:00", "card", "8.70", '"extra') + sale("13:01", "card", "5.00", "")
    text += sale("13:02", "cash", "12.00", '"large') + sale("13:03", "card", "5.00", "")
    assert refusal(text).startswith("Line 2 opens a quote; line 4 has text behind a closing quote:")


def test_an_unclosed_quote_before_199_good_rows_is_refused():
    text = PLAIN + sale("12:00", "card", '"8.70') + "".join(sale("12:01", "card", "5.00") for _ in range(199))
    assert refusal(text).startswith("Line 2 opens a quote that is never closed")


@pytest.mark.parametrize("end", ['"\n', '",\n'.replace(",", "")])
def test_a_quote_that_ends_well_but_takes_in_a_row_is_refused(end):
    text = (
        NOTED + sale("13:00", "card", "8.70", '"extra') + f"{DAY}13:01,card,5.00,{end}" + sale("13:03", "card", "5", "")
    )
    assert refusal(text).startswith("Line 2 opens a quote that takes in line 3, which reads like a row of its own")


def test_rows_in_the_middle_of_a_quoted_cell_are_found_whatever_its_column():
    text = PLAIN + f'{DAY}13:00,"card\n{DAY}13:01,card,5.00\n{DAY}13:02,cash",7.00\n'
    assert "takes in line 3" in refusal(text)
    text = (
        NOTED
        + sale("13:00", "card", "8.70", '"extra')
        + "05/11/2026 13:01,card,5.00,\n"
        + sale("13:02", "card", "4", '"')
    )
    assert "takes in line 3" in refusal(text)


def test_a_row_of_another_width_that_a_quote_takes_in_is_found_by_its_time():
    text = NOTED + sale("13:00", "card", "8.70", '"extra') + sale("13:01", "card") + '"\n'
    assert "takes in line 3" in refusal(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [(sale("13:00", 'ca"rd', "8.70"), "Line 3 has a quote within an unquoted cell"),
     (sale("13:00", "card", '8"70"'), "Line 3 has a quote within an unquoted cell"),
     (sale("13:00", "card", ' "8.70"'), "Line 3 has a quote within an unquoted cell"),
     (sale("13:00", "card", '"8.70" '), "Line 3 has text behind a closing quote"),
     (sale("13:00", "card", r'"8.70 \"large\""'), "Line 3 has text behind a closing quote")],
)  # fmt: skip
def test_a_quote_in_the_wrong_place_is_refused(line, said):
    assert refusal(PLAIN + sale("12:59", "card", "1") + line).startswith(said)


def test_lines_are_counted_as_an_editor_shows_them():
    good = sale("12:59", "card", "1")
    assert refusal("\r\n\r\n" + PLAIN + good + "\n" + sale("13:00", "card", '"8')).startswith("Line 6 ")
    assert refusal((PLAIN + good + sale("13:00", "card", '"8')).replace("\n", "\r")).startswith("Line 3 ")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_note_of_several_lines_is_one_cell(end):
    note = '"He said ""thanks, all""\n\nand left, at noon"'
    text = NOTED + sale("13:00", "card", "8.70", note) + sale("13:01", "cash", "5.00", '""')
    assert totals(text.replace("\n", end)) == ["8.70", "5.00"]


def test_quotes_on_every_cell_are_read_as_without():
    text = PLAIN + sale("13:00", "card", "8.70") + sale("13:01", "cash", "1,5")
    quoted = PLAIN + '"2026-11-05 13:00","card","8.70"\n\n"2026-11-05 13:01","cash","1,5"\n'
    assert totals(quoted) == ["8.70", "1,5"]
    assert rows(text)[0] == rows(quoted)[0]


def test_empty_lines_are_no_rows_and_others_are_counted():
    for end in ("\n", "\r\n", "\r"):
        lines = [PLAIN.strip(), "", "a,card,1", "", "", "b,card,2", ""]
        assert totals(end.join(lines)) == ["1", "2"]
    assert totals(PLAIN + "a,card,1\r\n\nb,card,2\r\rc,card,3") == ["1", "2", "3"]


def test_a_header_with_half_a_quote_is_refused():
    with pytest.raises(feed.FeedError, match="Line 1 has a quote"):
        rows('timestamp,type,"total\na,card,1\n')


@pytest.mark.parametrize(
    ("header", "line"),
    [("timestamp,type,total,tip", "2026-11-05 13:00,card,8,70,0"), (THREE, "2026-11-05 13:00,card,5,2"),
     (THREE, "2026-11-05 13:00,card,1,234.50"), (THREE, "2026-11-05 13:00,card,8.70,"),
     (THREE, "2026-11-05 13:00,card"),
     (THREE, " "), (f"{THREE},", "2026-11-05 13:00,card,8.70"), (THREE, '"2026-11-05 13:00",card,8,"70"')],
)  # fmt: skip
def test_a_row_with_other_than_the_headers_cells_is_kept_whole_and_not_guessed(header, line):
    good = f"2026-11-05 12:00,card,7.50{',' * (header.count(',') - 2)}"
    found = rows(f"{header}\n{good}\n{line}\n{good}\n")
    assert [row["total"] for row in found] == ["7.50", None, "7.50"]
    assert found[1] == {"timestamp": None, "type": None, "total": None, "line": line}


def test_a_mark_at_the_end_of_every_line_is_no_fault():
    assert totals("timestamp,type,total,\n2026-11-05 13:00,card,8.70,\n") == ["8.70"]


def test_a_total_with_a_comma_is_read_in_quotes():
    assert totals(PLAIN + '2026-11-05 13:00,card,"1,234.50"\n') == ["1,234.50"]


MENU = "truck_id,menu_item,menu_type,price,unit_cost\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [('20,"Taco,Mexican,7.50,2.10\n20,Soup,Mexican,6.00,1.00\n20,Bean",Mexican,5.00,1.00\n', "takes in line 3"),
     ('20,Taco,Mexican,7.50,"2.10\n20,Soup,Mexican,6.00,"1.00\n', "never closed|behind a closing quote"),
     ("20,Taco,Mexican,5,50,1,20\n", "Line 2 has 7 cells, the first line 5"),
     ("20,Taco,Mexican,5.50\n", "Line 2 has 4 cells, the first line 5")],
)  # fmt: skip
def test_a_menu_whose_rows_are_unsure_is_refused(lines, said):
    with pytest.raises(feed.FeedError, match=said):
        read_metadata("metadata/menu.csv", (MENU + lines).encode())


@pytest.mark.parametrize(
    ("name", "text"),
    [("pitches.csv", "truck_id,location_id,from,to\n1,1,2026-11-05,2026-11-06,\n"),
     ("costs.csv", "truck_id,cost,amount,per,from\n1,wages,95,50,day,2026-01-01\n")],
)  # fmt: skip
def test_every_hand_kept_list_names_the_line_with_other_cells(name, text):
    with pytest.raises(feed.FeedError, match="Line 2 has"):
        read_metadata(f"metadata/{name}", text.encode())


def test_a_dish_may_be_written_on_two_lines():
    (item,) = read_metadata("metadata/menu.csv", (MENU + '20,"Taco\nSupreme",Mexican,7.50,0\n').encode())["menu_item"]
    assert (item["menu_item"], item["unit_cost_pence"]) == ("Taco Supreme", 0)
