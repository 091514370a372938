from decimal import Decimal

import pytest

from tests.orders.desk import Desk
from tests.pages.desks import client_of, client_of_stranger, csv_rows, queries_of

URL = "/orders/trades/"


class TestTradeList:
    def test_shows_nothing_of_another_desk(self, desk: Desk) -> None:
        desk.buy()
        assert not list(client_of_stranger().get(URL).context["listing"])

    def test_says_what_to_do_while_it_is_empty(self, desk: Desk) -> None:
        assert b"No trades yet" in client_of(desk).get(URL).content

    def test_adds_up_to_the_charges_of_its_rows(self, desk: Desk) -> None:
        desk.buy()
        desk.buy(price="101.00")
        context = client_of(desk).get(URL).context
        (total,) = context["totals"]
        assert total.charges == sum(trade.charges for trade in context["listing"]) > 0
        assert total.is_paper

    @pytest.mark.parametrize(
        ("query", "shown"),
        [("side=BUY", 1), ("side=SELL", 0), ("day=2026-06-17", 1), ("instrument=tcs", 0)],
    )
    def test_is_narrowed_by_its_filters(self, desk: Desk, query: str, shown: int) -> None:
        desk.buy()
        assert len(list(client_of(desk).get(f"{URL}?{query}").context["listing"])) == shown

    def test_costs_the_same_queries_for_many_rows_as_for_one(self, desk: Desk) -> None:
        desk.buy()
        client = client_of(desk)
        one = queries_of(client, f"{URL}part/")
        for _ in range(3):
            desk.buy()
        assert queries_of(client, f"{URL}part/") == one
        assert one <= 12

    def test_exports_each_charge(self, desk: Desk) -> None:
        desk.buy(quantity=100)
        header, row = csv_rows(client_of(desk).get(f"{URL}export/"))
        trade = dict(zip(header, row, strict=True))
        parts = ("Brokerage", "STT", "Exchange", "Clearing", "SEBI", "Stamp duty", "GST")
        assert sum(Decimal(trade[part]) for part in parts) == Decimal(trade["Charges"])
