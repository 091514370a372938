"""Kite's words and rows as the house's, and the house's as Kite's."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.abilities import CandleRequest, TriggerLeg, TriggerRequest
from brokers.adapters.kite import market, reports, sending, words
from brokers.capabilities import TriggerKind
from brokers.gateway import BrokerStatus, ModifyRequest, OrderReport
from brokers.terms import OrderType, Product, Side, Validity
from brokers.values import Unreadable
from tests.brokers.contract import buy
from tests.brokers.kite.market import share_ref

AT = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
SHARE = share_ref()
ROW: dict[str, Any] = {
    "order_id": "1",
    "status": "OPEN",
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "instrument_token": 408065,
    "order_type": "LIMIT",
    "transaction_type": "BUY",
    "validity": "DAY",
    "product": "MIS",
    "quantity": 10,
    "filled_quantity": 0,
    "price": Decimal("100.5"),
    "order_timestamp": "2026-06-17 10:30:00",
}


def key_of(exchange: str, token: str) -> str:
    return f"{exchange}:{token}"


def report(**changes: object) -> OrderReport:
    return reports.order_report({**ROW, **changes}, key_of=key_of, at=AT)


class TestStatusWords:
    @pytest.mark.parametrize("word", ["", "WAITING FOR GODOT", "open?"])
    def test_an_unknown_word_is_not_guessed(self, word: str) -> None:
        with pytest.raises(Unreadable, match="order status"):
            report(status=word)

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("PUT ORDER REQ RECEIVED", BrokerStatus.PLACED),
            ("PUT ORDER REQUEST RECEIVED", BrokerStatus.PLACED),
            ("VALIDATION PENDING", BrokerStatus.PLACED),
            ("OPEN PENDING", BrokerStatus.PLACED),
            ("AMO REQ RECEIVED", BrokerStatus.QUEUED_AMO),
            ("MODIFY AMO REQ RECEIVED", BrokerStatus.QUEUED_AMO),
            ("CANCEL AMO REQ RECEIVED", BrokerStatus.QUEUED_AMO),
            ("NOT MODIFIED", BrokerStatus.OPEN),
            ("NOT CANCELLED", BrokerStatus.OPEN),
            ("AMO CANCELLED", BrokerStatus.CANCELLED),
            ("OPEN", BrokerStatus.OPEN),
            ("Open", BrokerStatus.OPEN),
            ("MODIFIED", BrokerStatus.OPEN),
            ("UPDATE", BrokerStatus.OPEN),
            ("MODIFY VALIDATION PENDING", BrokerStatus.OPEN),
            ("MODIFY PENDING", BrokerStatus.OPEN),
            ("CANCEL PENDING", BrokerStatus.OPEN),
            ("TRIGGER PENDING", BrokerStatus.TRIGGER_PENDING),
            ("COMPLETE", BrokerStatus.FILLED),
            ("CANCELLED", BrokerStatus.CANCELLED),
            ("CANCELLED AMO", BrokerStatus.CANCELLED),
            ("CANCEL", BrokerStatus.CANCELLED),
            ("REJECTED", BrokerStatus.REJECTED),
        ],
    )
    def test_each_word(self, word: str, status: BrokerStatus) -> None:
        assert report(status=word).status is status

    @pytest.mark.parametrize("word", ["OPEN", "UPDATE", "MODIFIED", "CANCEL PENDING"])
    def test_a_working_order_that_has_filled_in_part(self, word: str) -> None:
        assert report(status=word, filled_quantity=4).status is BrokerStatus.PARTIALLY_FILLED

    def test_a_cancelled_order_may_have_filled_in_part(self) -> None:
        told = report(status="CANCELLED", filled_quantity=4)
        assert (told.status, told.filled_quantity) == (BrokerStatus.CANCELLED, 4)

    @pytest.mark.parametrize("word", ["UPDATE", "MODIFIED", "CANCEL PENDING", "NOT CANCELLED"])
    def test_a_stop_of_which_something_is_asked_still_waits(self, word: str) -> None:
        told = report(status=word, order_type="SL", trigger_price=99)
        assert told.status is BrokerStatus.TRIGGER_PENDING


class TestRows:
    @pytest.mark.parametrize("data", [None, {}, "none", True])
    def test_what_is_no_list_is_no_empty_book(self, data: object) -> None:
        with pytest.raises(Unreadable):
            reports.order_reports(data, key_of=key_of, at=AT)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("order_id", None),
            ("quantity", "ten"),
            ("quantity", Decimal("1.5")),
            ("quantity", True),
            ("price", Decimal("NaN")),
            ("product", "XYZ"),
            ("transaction_type", ""),
            ("order_timestamp", "yesterday"),
        ],
    )
    def test_a_field_that_makes_no_sense_spoils_the_answer(self, name: str, value: object) -> None:
        with pytest.raises(Unreadable):
            report(**{name: value})

    @pytest.mark.parametrize(
        "name",
        ["price", "order_timestamp", "validity", "tag", "status_message"],
    )
    def test_a_field_that_is_absent_or_null_is_nothing(self, name: str) -> None:
        without = {key: value for key, value in ROW.items() if key != name}
        assert reports.order_report(without, key_of=key_of, at=AT) == report(**{name: None})

    @pytest.mark.parametrize("missing", [None, "", "--"])
    def test_one_that_is_complete_has_filled_in_whole(self, missing: object) -> None:
        told = report(status="COMPLETE", filled_quantity=missing)
        assert (told.status, told.filled_quantity) == (BrokerStatus.FILLED, 10)

    @pytest.mark.parametrize("word", ["OPEN", "CANCELLED", "MODIFIED"])
    def test_how_much_of_another_has_filled_is_not_guessed(self, word: str) -> None:
        with pytest.raises(Unreadable, match="filled quantity"):
            report(status=word, filled_quantity=None)

    def test_a_rejected_one_has_filled_nothing(self) -> None:
        assert report(status="REJECTED", filled_quantity=None).filled_quantity == 0

    def test_a_row_without_any_time_is_as_of_now(self) -> None:
        assert report(order_timestamp=None).updated_at == AT

    def test_times_are_india_s(self) -> None:
        assert report().updated_at == AT

    def test_numbers_may_be_text(self) -> None:
        assert report(quantity="10", price="100.50") == report()

    def test_no_price_is_none(self) -> None:
        told = report(price=0, trigger_price=0, average_price=0)
        assert (told.price, told.trigger_price, told.average_price) == (None, None, None)

    @pytest.mark.parametrize(
        ("tag", "tags", "expected"),
        [
            ("MINE", None, "MINE"),
            (None, ["MINE", "mktp:2.00"], "MINE"),
            ("mktp", ["mktp", "MINE"], "MINE"),
            (None, ["autoslice", "autoslice:19"], ""),
            (None, None, ""),
        ],
    )
    def test_the_tag_is_ours_and_not_a_mark_of_kite_s(
        self, tag: str | None, tags: list[str] | None, expected: str
    ) -> None:
        assert report(tag=tag, tags=tags).tag == expected

    def test_the_first_row_of_a_history_may_not_know_its_instrument(self) -> None:
        told = reports.history_reports([{**ROW, "instrument_token": 1}, ROW], key_of=key_of, at=AT)
        assert {each.instrument_key for each in told} == {"NSE:408065"}

    def test_two_exchanges_may_number_a_trade_the_same(self) -> None:
        row = {**ROW, "trade_id": "7", "average_price": 100}
        told = reports.trade_reports([row, {**row, "order_id": "2"}], key_of=key_of, at=AT)
        assert len({each.trade_id for each in told}) == 2

    @pytest.mark.parametrize("data", [{}, None, {"net": None, "day": None}, {"day": []}])
    def test_positions_that_are_not_told_are_not_flat(self, data: object) -> None:
        with pytest.raises(Unreadable):
            reports.position_reports(data, key_of=key_of)

    def test_holdings_sold_today_are_what_was_owned_this_morning(self) -> None:
        row = {"exchange": "NSE", "instrument_token": 1, "quantity": 6, "used_quantity": 4}
        (told,) = reports.holding_reports([row], key_of=key_of)
        assert told.quantity == 10

    @pytest.mark.parametrize("data", [None, {}, {"equity": {"enabled": False}}, {"equity": {}}])
    def test_money_that_is_not_told_is_not_nothing(self, data: object) -> None:
        with pytest.raises(Unreadable):
            reports.funds_report(data)

    @pytest.mark.parametrize("data", [[], [{}], [{"total": 1}, {"total": 1}], None])
    def test_a_margin_that_is_not_told_is_not_nothing(self, data: object) -> None:
        with pytest.raises(Unreadable):
            reports.margin_report(data)

    def test_a_year_one_is_no_time(self) -> None:
        assert words.moment("0001-01-01 00:00:00") is None


class TestSending:
    def test_a_market_order_carries_a_protection_and_no_price(self) -> None:
        request = buy(SHARE, order_type=OrderType.MARKET, price=None)
        fields = sending.order_fields(request)
        assert fields["market_protection"] == -1
        assert "price" not in fields

    def test_a_stop_at_the_market_does_too(self) -> None:
        request = buy(SHARE, order_type=OrderType.SL_M, price=None, trigger_price=Decimal(99))
        fields = sending.order_fields(request)
        assert (fields["market_protection"], fields["trigger_price"]) == (-1, "99")

    def test_a_change_to_the_market_does_too(self) -> None:
        change = ModifyRequest("1", SHARE, OrderType.MARKET, Validity.DAY, 10)
        assert sending.change_fields(change)["market_protection"] == -1

    def test_a_limit_order_carries_none(self) -> None:
        assert "market_protection" not in sending.order_fields(buy(SHARE))

    def test_prices_are_written_as_they_are(self) -> None:
        request = buy(SHARE, price=Decimal("100.10"))
        assert sending.order_fields(request)["price"] == "100.10"

    def test_it_names_the_instrument_as_kite_does(self) -> None:
        odd = replace(SHARE, trading_symbol="HOUSE", broker_symbol="KITE", broker_exchange="BSE")
        fields = sending.order_fields(buy(odd))
        assert (fields["exchange"], fields["tradingsymbol"]) == ("BSE", "KITE")

    def test_an_order_for_the_open_has_its_own_variety(self) -> None:
        assert sending.order_fields(buy(SHARE, is_amo=True))["variety"] == "amo"

    @pytest.mark.parametrize("tag", ["", "WITH SPACE", "A" * 21, "Ünïcode", "dash-ed"])
    def test_a_tag_kite_would_not_keep_is_not_sent(self, tag: str) -> None:
        assert sending.objection(buy(SHARE, tag=tag))

    @pytest.mark.parametrize("product", [Product.CO, Product.BO])
    def test_a_bracket_is_not_a_product(self, product: Product) -> None:
        assert sending.objection(buy(SHARE, product=product))

    def test_what_kite_does_not_list_is_not_sent(self) -> None:
        assert sending.objection(buy(replace(SHARE, token="")))

    def test_a_trigger_needs_as_many_prices_as_its_kind(self) -> None:
        leg = TriggerLeg(Decimal(90), Decimal(89), 1)
        request = TriggerRequest(
            "T", SHARE, Side.SELL, Product.CNC, TriggerKind.OCO, (leg,), Decimal(100)
        )
        assert sending.trigger_objection(request)


class TestCandleSpans:
    def request(self, interval: str, days: int) -> CandleRequest:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        end = datetime(2026, 1, 1 + days, tzinfo=UTC) if days < 30 else start.replace(year=2027)
        return CandleRequest(SHARE, interval, start, end)

    def test_an_unknown_length_is_refused_in_words(self) -> None:
        with pytest.raises(Unreadable, match="7m"):
            list(market.candle_spans(self.request("7m", 1)))

    def test_a_short_request_is_one_call(self) -> None:
        assert len(list(market.candle_spans(self.request("1m", 5)))) == 1

    @pytest.mark.parametrize(("interval", "calls"), [("1m", 7), ("5m", 4), ("1h", 1), ("1d", 1)])
    def test_a_year_is_cut_into_what_kite_answers(self, interval: str, calls: int) -> None:
        spans = list(market.candle_spans(self.request(interval, 365)))
        assert len(spans) == calls
        assert spans[-1][2] == self.request(interval, 365).end
