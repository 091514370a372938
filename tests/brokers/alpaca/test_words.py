"""Alpaca's words, numbers and rows in the house's; what is not understood is no answer."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.adapters.alpaca import market, pages, reports, sending, shares
from brokers.gateway import BrokerStatus, OrderReport
from brokers.terms import OrderType, Product, Segment, Side, Validity
from brokers.values import Unreadable
from tests.brokers.alpaca.market import share_ref
from tests.brokers.contract import buy
from tests.builders import NOW

ORDER: dict[str, object] = {
    "id": "0f0f0f0f-0000-4000-8000-000000000001",
    "client_order_id": "TAG1",
    "submitted_at": "2026-06-17T14:30:00.123456789Z",
    "updated_at": "2026-06-17T14:30:01Z",
    "symbol": "AAPL",
    "qty": "10",
    "filled_qty": "0",
    "filled_avg_price": None,
    "type": "limit",
    "side": "buy",
    "time_in_force": "day",
    "limit_price": "100",
    "stop_price": None,
    "status": "new",
}


def key_of(symbol: str) -> str:
    return f"NASDAQ:{symbol}"


def report(**changes: Any) -> OrderReport:
    return reports.order_report({**ORDER, **changes}, key_of=key_of, at=NOW)


def fill(side: str, quantity: str, price: str, symbol: str = "AAPL") -> dict[str, object]:
    return {
        "id": f"{side}{quantity}{price}",
        "order_id": "1",
        "symbol": symbol,
        "side": side,
        "qty": quantity,
        "price": price,
        "transaction_time": "2026-06-17T14:30:00Z",
    }


def held(quantity: str, average: str = "90", symbol: str = "AAPL") -> dict[str, object]:
    return {"symbol": symbol, "qty": quantity, "avg_entry_price": average}


class TestRefusals:
    @pytest.mark.parametrize("word", ["", None, "brand_new", "replaced", "NEW"])
    def test_an_unknown_status_is_no_answer(self, word: object) -> None:
        with pytest.raises(Unreadable, match="order status"):
            report(status=word)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("side", "hold"), ("type", "iceberg"), ("time_in_force", "gtd"), ("symbol", ""),
         ("id", None), ("qty", "ten"), ("qty", True), ("limit_price", "NaN"),
         ("updated_at", "yesterday"), ("updated_at", "2026-06-17T14:30:01")],
    )  # fmt: skip
    def test_a_word_that_cannot_be_understood_is_no_answer(self, field: str, value: object) -> None:
        with pytest.raises(Unreadable):
            report(**{field: value})

    @pytest.mark.parametrize("changes", [{"qty": "0.5"}, {"filled_qty": "1.25"}])
    def test_a_fraction_is_refused_in_words(self, changes: dict[str, str]) -> None:
        with pytest.raises(Unreadable, match="whole shares"):
            report(**changes)

    def test_an_order_for_an_amount_is_refused_in_words(self) -> None:
        with pytest.raises(Unreadable, match="whole shares"):
            report(qty=None, notional="50")

    @pytest.mark.parametrize("data", [None, {}, "rows"])
    def test_what_is_no_list_is_no_answer(self, data: object) -> None:
        with pytest.raises(Unreadable):
            shares.holding_reports(pages._page(data), [], key_of=key_of)

    @pytest.mark.parametrize(
        "changes",
        [{"tag": ""}, {"product": Product.MIS}, {"disclosed_quantity": 1}],
    )
    def test_what_alpaca_cannot_do_is_not_sent(self, changes: dict[str, Any]) -> None:
        request = replace(buy(share_ref()), **changes)
        assert sending.objection(request)

    def test_an_indian_share_is_not_sent(self) -> None:
        indian = replace(share_ref(), segment=Segment.NSE_EQ)
        assert sending.objection(replace(buy(share_ref()), instrument=indian))

    def test_a_fraction_is_not_sent(self) -> None:
        request = buy(share_ref(), quantity=Decimal("0.5"))
        assert "whole shares" in str(sending.objection(request))


class TestStatus:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("pending_new", BrokerStatus.PLACED),
            ("accepted", BrokerStatus.PLACED),
            ("accepted_for_bidding", BrokerStatus.PLACED),
            ("pending_review", BrokerStatus.PLACED),
            ("held", BrokerStatus.QUEUED_AMO),
            ("new", BrokerStatus.OPEN),
            ("stopped", BrokerStatus.OPEN),
            ("calculated", BrokerStatus.OPEN),
            ("suspended", BrokerStatus.OPEN),
            ("done_for_day", BrokerStatus.OPEN),
            ("pending_replace", BrokerStatus.OPEN),
            ("pending_cancel", BrokerStatus.OPEN),
            ("partially_filled", BrokerStatus.PARTIALLY_FILLED),
            ("filled", BrokerStatus.FILLED),
            ("canceled", BrokerStatus.CANCELLED),
            ("rejected", BrokerStatus.REJECTED),
            ("expired", BrokerStatus.EXPIRED),
        ],
    )
    def test_each_word(self, word: str, status: BrokerStatus) -> None:
        assert report(status=word).status is status

    @pytest.mark.parametrize("word", ["new", "held", "pending_cancel"])
    def test_a_stop_waits_for_its_trigger(self, word: str) -> None:
        told = report(status=word, type="stop_limit", stop_price="99")
        assert told.status is BrokerStatus.TRIGGER_PENDING

    def test_one_that_has_filled_in_part_says_so(self) -> None:
        assert report(filled_qty="3").status is BrokerStatus.PARTIALLY_FILLED

    @pytest.mark.parametrize("at", ["2026-06-17T23:00:00Z", "2026-06-20T15:00:00Z"])
    def test_accepted_while_the_market_sleeps_is_queued(self, at: str) -> None:
        assert report(status="accepted", submitted_at=at).status is BrokerStatus.QUEUED_AMO


class TestOrderRow:
    def test_rejected_without_a_reason_sends_the_trader_to_look(self) -> None:
        assert "look at the order in Alpaca's own app" in report(status="rejected").message
        assert report(status="rejected", reject_reason="no shares").message == "no shares"
        assert report(status="canceled").message == ""

    def test_is_read_whole(self) -> None:
        told = report()
        assert (told.tag, told.instrument_key, told.side) == ("TAG1", "NASDAQ:AAPL", Side.BUY)
        assert (told.quantity, told.price, told.trigger_price) == (10, Decimal(100), None)
        assert (told.product, told.validity) == (Product.CNC, Validity.DAY)

    def test_times_are_aware_and_cut_to_microseconds(self) -> None:
        placed_at = report().placed_at
        assert placed_at == datetime(2026, 6, 17, 14, 30, 0, 123456, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("word", "kind"),
        [("market", OrderType.MARKET), ("stop", OrderType.SL_M), ("stop_limit", OrderType.SL),
         ("trailing_stop", OrderType.SL_M)],
    )  # fmt: skip
    def test_types(self, word: str, kind: OrderType) -> None:
        assert report(type=word).order_type is kind

    def test_the_fields_sent_are_texts(self) -> None:
        request = buy(share_ref(), order_type=OrderType.SL, trigger_price=Decimal("99.50"))
        assert sending.order_fields(request).values == {
            "symbol": "AAPL",
            "qty": "10",
            "side": "buy",
            "type": "stop_limit",
            "time_in_force": "day",
            "client_order_id": "TAG1",
            "limit_price": "100.00",
            "stop_price": "99.50",
        }

    def test_a_sale_may_only_close(self) -> None:
        fields = sending.order_fields(buy(share_ref(), side=Side.SELL)).values
        assert fields["position_intent"] == "sell_to_close"


class TestShares:
    def test_what_was_bought_today_is_a_position_and_no_holding(self) -> None:
        day = [fill("buy", "10", "100")]
        (position,) = shares.position_reports([held("10", "100")], day, key_of=key_of)
        assert (position.quantity, position.average_price) == (10, Decimal(100))
        assert shares.holding_reports([held("10", "100")], day, key_of=key_of) == []

    def test_what_was_there_before_is_a_holding_and_no_position(self) -> None:
        (holding,) = shares.holding_reports([held("7")], [], key_of=key_of)
        assert (holding.quantity, holding.average_price) == (7, Decimal(90))
        assert shares.position_reports([held("7")], [], key_of=key_of) == []

    def test_a_sale_of_today_leaves_the_morning_s_holding(self) -> None:
        day = [fill("sell", "4", "110")]
        (position,) = shares.position_reports([held("3")], day, key_of=key_of)
        (holding,) = shares.holding_reports([held("3")], day, key_of=key_of)
        assert (position.quantity, position.sell_quantity, holding.quantity) == (-4, 4, 7)

    def test_what_was_sold_out_today_was_held_this_morning(self) -> None:
        day = [fill("sell", "7", "110")]
        (holding,) = shares.holding_reports([], day, key_of=key_of)
        assert (holding.quantity, holding.average_price) == (7, 0)

    def test_a_round_trip_of_today_is_realized(self) -> None:
        day = [fill("buy", "10", "100"), fill("sell", "10", "101.50")]
        (position,) = shares.position_reports([], day, key_of=key_of)
        assert (position.quantity, position.realized_pnl) == (0, Decimal("15.0000"))

    def test_a_short_of_alpaca_s_own_app_is_told(self) -> None:
        (position,) = shares.position_reports([held("-5")], [], key_of=key_of)
        assert (position.quantity, position.average_price) == (-5, Decimal(90))

    def test_a_fraction_held_is_refused_in_words(self) -> None:
        told = shares.holding_reports([held("0.5"), held("5", symbol="MSFT")], [], key_of=key_of)
        assert [each.instrument_key for each in told] == ["NASDAQ:MSFT"]
        (fraction,) = told.unreadable
        assert "0.5 shares of AAPL" in fraction.words
        assert fraction.instrument_key == "NASDAQ:AAPL"


class TestMoney:
    def test_what_could_be_borrowed_is_not_available(self) -> None:
        told = reports.funds_report(
            {"cash": "1000", "buying_power": "4000", "non_marginable_buying_power": "900"}
        )
        assert (told.available, told.margin_used, told.cash) == (900, 100, 1000)

    def test_without_that_figure_the_cash_is_the_most(self) -> None:
        assert reports.funds_report({"cash": "1000", "buying_power": "4000"}).available == 1000

    def test_an_account_without_its_cash_is_no_answer(self) -> None:
        with pytest.raises(Unreadable):
            reports.funds_report({"buying_power": "4000"})

    def test_a_purchase_takes_its_price_and_a_sale_nothing(self) -> None:
        assert market.margin_of(buy(share_ref()), None).total == Decimal("1000.00")
        assert market.margin_of(buy(share_ref(), side=Side.SELL), None).total == 0


class TestPrices:
    SNAPSHOT: dict[str, object] = {
        "latestTrade": {"t": "2026-06-17T14:30:00Z", "p": Decimal("100.5")},
        "latestQuote": {"bp": Decimal("100.4"), "bs": 2, "ap": 0, "as": 0},
        "dailyBar": {"o": 99, "h": 101, "l": 98, "v": 1234, "vw": Decimal("100.1")},
        "prevDailyBar": {"c": Decimal("97.5")},
    }

    def test_a_snapshot(self) -> None:
        told = market.quote_reports({"AAPL": self.SNAPSHOT}, keys={"AAPL": "NASDAQ:AAPL"})
        quote = told["NASDAQ:AAPL"]
        assert (quote.ltp, quote.previous_close, quote.volume) == (
            Decimal("100.5"),
            Decimal("97.5"),
            1234,
        )
        assert (len(quote.bids), quote.asks) == (1, ())

    def test_one_that_never_traded_is_absent(self) -> None:
        assert market.quote_reports({"AAPL": {}}, keys={"AAPL": "x"}) == {}

    def test_no_candles_at_all_is_null(self) -> None:
        assert market.candles({"bars": None, "next_page_token": None}, symbol="AAPL") == ([], "")

    def test_a_candle_without_a_price_is_no_answer(self) -> None:
        page = {"bars": {"AAPL": [{"t": "2026-06-17T14:30:00Z", "o": 1}]}}
        with pytest.raises(Unreadable):
            market.candles(page, symbol="AAPL")
