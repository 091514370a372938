"""A broker's lists row by row."""

import pytest

from brokers.rows import Listed, Naming, UnreadableRow, read_rows, rows_of, unreadable_in
from brokers.values import Row, Unreadable, count, required, text

NAMING = Naming(
    lambda row: f"NSE:{required(row, 'symbol')}", "symbol", "id", lambda row: text(row.get("tag"))
)


def read(data: object) -> Listed[int]:
    return read_rows(
        data, lambda row: count(row.get("quantity"), "quantity"), naming=NAMING, broker="Kite"
    )


class TestReadingRows:
    @pytest.mark.parametrize("data", [None, {}, "", 0, {"data": []}], ids=str)
    def test_of_what_is_no_list_is_no_answer(self, data: object) -> None:
        with pytest.raises(Unreadable, match="did not answer with a list"):
            read(data)

    def test_of_an_empty_list_is_none(self) -> None:
        assert (read([]), read([]).unreadable) == ([], ())

    def test_leaves_out_the_one_that_cannot_be_read_and_names_it(self) -> None:
        told = read([{"quantity": 5}, {"id": "7", "tag": "T", "symbol": "INFY", "quantity": "--"}])
        assert told == [5]
        (row,) = told.unreadable
        assert row == UnreadableRow(
            "Kite's row cannot be read: quantity is no number: --", 2, "7", "T", "NSE:INFY", "INFY"
        )
        assert row.name == "order 7 INFY"

    @pytest.mark.parametrize("row", [None, 7, [], "row"], ids=str)
    def test_names_one_that_is_no_object_by_its_place(self, row: object) -> None:
        (named,) = read([row]).unreadable
        assert (named.name, named.order_id, named.instrument_key) == ("row 1", "", "")

    def test_names_what_it_can_of_one_that_names_little(self) -> None:
        (named,) = read([{"id": [], "tag": "T", "symbol": None}]).unreadable
        assert (named.order_id, named.tag, named.instrument_key) == ("", "T", "")

    def test_survives_a_shape_that_nobody_has_seen(self) -> None:
        def broken(row: Row) -> int:
            raise KeyError("legs")

        told = read_rows([{"id": "1"}], broken, naming=NAMING, broker="Kite")
        assert [each.order_id for each in told.unreadable] == ["1"]


class TestPages:
    def test_add_up(self) -> None:
        pages = read([{"quantity": 1}, None]).with_more(read([{"quantity": 2}, None]))
        assert (pages, len(pages.unreadable)) == ([1, 2], 2)


class TestAListThatCountsAsAWhole:
    @pytest.mark.parametrize("data", [None, {}, [1], "rows"], ids=str)
    def test_is_one_of_objects(self, data: object) -> None:
        with pytest.raises(Unreadable):
            rows_of(data, "book")

    def test_may_be_null_where_that_means_none(self) -> None:
        assert rows_of(None, "book", takes_null=True) == []


def test_a_plain_list_has_been_read_whole() -> None:
    assert unreadable_in([1, 2]) == ()
