"""Whatever stands in a field, a row is read as it is meant or named: no other row pays for it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.adapters.alpaca import reports as alpaca
from brokers.adapters.angel import postbacks as angel_postbacks
from brokers.adapters.angel import rows as angel
from brokers.adapters.dhan import postbacks as dhan_postbacks
from brokers.adapters.dhan import rows as dhan
from brokers.adapters.kite import postbacks as kite_postbacks
from brokers.adapters.kite import reports as kite
from brokers.directory import install_directory, installed_directory
from brokers.values import Unreadable
from tests.brokers.mutating import KINDS, ODD, Kind, Row, changed, mutations
from tests.brokers.stands import Listing

MONEY = [
    (angel.funds_report, {"net": "90", "availablecash": "100", "utiliseddebits": "10"}),
    (dhan.funds_report, {"sodLimit": "100", "utilizedAmount": "10", "availabelBalance": "90"}),
    (alpaca.funds_report, {"cash": "100", "buying_power": "90"}),
    (
        lambda row: kite.funds_report({"equity": row}),
        {"net": 90, "available": {"cash": 100}, "utilised": {"debits": 10}},
    ),
]
POSTBACKS = [
    (angel_postbacks.read, {"orderid": "1", "orderstatus": "open", "ordertag": "T"}),
    (kite_postbacks.read, {"order_id": "1", "status": "COMPLETE", "tag": "T"}),
    (dhan_postbacks.read, {"orderId": "1", "orderStatus": "TRADED", "correlationId": "T"}),
]


@pytest.fixture(scope="module", autouse=True)
def directory() -> Iterator[None]:
    """No broker's number is known here: every key says whose it is."""
    before = installed_directory()
    install_directory(Listing([]))
    yield
    install_directory(before)


def shares(report: Any) -> tuple[int, int]:
    """Return what must never become nothing: the shares, and of an order those that filled."""
    return report.quantity, getattr(report, "filled_quantity", 0)


def check(kind: Kind, bad: Row, fields: set[str]) -> None:
    """Hold a reading of a bad row beside a good one against the rules of every list."""
    (meant,), (beside,) = kind.read([kind.row]), kind.read([kind.other()])
    told = kind.read([bad, kind.other()])
    assert beside in told, fields
    assert len(told) + len(told.unreadable) == 2, fields
    for report in told:
        assert report == beside or shares(report) == shares(meant), fields
    for row in told.unreadable:
        assert row.words, fields
        assert row.instrument_key or row.order_id or row.symbol or fields & set(kind.named_by)


@pytest.mark.parametrize("kind", KINDS, ids=[each.label for each in KINDS])
class TestAListWithOneOddRow:
    def test_is_the_others_and_names_it(self, kind: Kind) -> None:
        for field, bad in mutations(kind.row):
            check(kind, bad, {field})

    @given(data=st.data())
    def test_whose_fields_are_odd_together(self, kind: Kind, data: st.DataObject) -> None:
        fields = data.draw(st.lists(st.sampled_from(sorted(kind.row)), min_size=2, unique=True))
        bad = kind.row
        for field in fields:
            bad = changed(bad, field, data.draw(st.sampled_from(ODD)))
        told = kind.read([bad, kind.other()])
        assert kind.read([kind.other()])[0] in told
        assert len(told) + len(told.unreadable) == 2

    @pytest.mark.parametrize("row", [None, "", [], 7, True], ids=str)
    def test_that_is_no_object(self, kind: Kind, row: Any) -> None:
        told = kind.read([row, kind.other()])
        assert (len(told), len(told.unreadable)) == (1, 1)


@pytest.mark.parametrize(("read", "row"), MONEY)
class TestMoney:
    def test_is_what_was_told_or_no_answer(self, read: Any, row: Row) -> None:
        meant = read(row)
        for field, bad in mutations(row):
            if bad.get(field) == Decimal("0.1"):
                continue  # as good an amount as any
            try:
                told = read(bad)
            except Unreadable:
                continue
            assert (told.cash, told.available) == (meant.cash, meant.available), field


@pytest.mark.parametrize(("read", "row"), POSTBACKS)
class TestAPostback:
    def test_names_its_order_or_is_refused(self, read: Any, row: Row) -> None:
        for field, bad in mutations(row):
            try:
                news = read(json.dumps(bad, default=str).encode("utf-8", "replace"))
            except ValueError:
                assert field == next(iter(row)), field
                continue
            assert news.broker_order_id, field
