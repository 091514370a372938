"""One account at Zerodha Kite: the port, and the abilities Kite has besides."""

from collections.abc import Callable, Mapping, Sequence
from operator import methodcaller
from typing import Any

from brokers.abilities import (
    BracketRequest,
    BrokerCandle,
    CandleRequest,
    ConvertRequest,
    Profile,
    QuoteReport,
    SaleAuthorisation,
)
from brokers.adapters.kite import market, reports, sending, words
from brokers.adapters.kite.capability import capabilities_on
from brokers.adapters.kite.client import KiteClient
from brokers.adapters.kite.line import Line
from brokers.adapters.kite.outcomes import judge_slices
from brokers.adapters.kite.triggers import Triggers
from brokers.answers import not_sent
from brokers.candles import whole_days, within
from brokers.capabilities import Capabilities
from brokers.gateway import (
    CancelRequest,
    FundsReport,
    GatewayUnavailable,
    HoldingReport,
    InstrumentRef,
    Margin,
    ModifyRequest,
    OrderReport,
    Outcome,
    PlaceRequest,
    PositionReport,
    Refused,
    TradeReport,
)
from brokers.governor import governor_for
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.rows import rows_of
from brokers.terms import Segment
from brokers.transport import Admit, admit_all
from brokers.values import Row, text
from brokers.venue import IST

_Write = Callable[[KiteClient, str, str | None], Any]


def open_gateway(account: TradingAccount, clock: Clock) -> "KiteGateway":
    """Open the way to one account at Kite, within the calls that Kite takes."""
    return KiteGateway(account, clock, admit=governor_for(account.connection, clock=clock))


class KiteGateway(Triggers):
    """The port over the official SDK. ``admit`` may hold a call back before it leaves."""

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit = admit_all) -> None:
        self._clock = clock
        self._line = Line(account, clock, admit=admit)

    def place(self, request: PlaceRequest) -> Outcome:
        if words_against := sending.objection(request):
            return not_sent(words_against)
        fields = sending.order_fields(request)
        return self._line.write(lambda kite: kite.place_order(**fields))

    def place_sliced(self, request: PlaceRequest) -> Sequence[Outcome]:
        """Send an order in Kite's own slices, of which some may be taken and others refused.

        All slices carry the one tag; Kite marks them as slices of one another besides.
        """
        if words_against := sending.objection(request):
            return [not_sent(words_against)]
        fields = sending.order_fields(request)
        outcomes = self._line.write_many(
            lambda kite: kite.place_autoslice_order(**fields),
            lambda last: judge_slices(last, at=self._clock()),
        )
        return [outcomes] if isinstance(outcomes, Refused) else outcomes

    def place_bracket(self, request: BracketRequest) -> Outcome:
        """Send a cover order; Kite itself sends the stop-loss beside it."""
        if words_against := sending.bracket_objection(request):
            return not_sent(words_against)
        fields = sending.bracket_fields(request)
        return self._line.write(lambda kite: kite.place_order(**fields))

    def cancel_bracket(self, broker_order_id: str) -> Outcome:
        """Leave a cover order: cancelling either of its orders ends both."""
        return self._write_as(words.COVER, broker_order_id, _cancel(broker_order_id))

    def modify(self, request: ModifyRequest) -> Outcome:
        fields = sending.change_fields(request)
        variety = sending.variety_of(is_amo=request.is_amo)

        def change(kite: KiteClient, variety: str, parent: str | None) -> Any:
            return kite.modify_order(variety, request.broker_order_id, parent, **fields)

        return self._write_as(variety, request.broker_order_id, change)

    def cancel(self, request: CancelRequest) -> Outcome:
        variety = sending.variety_of(is_amo=request.is_amo)
        return self._write_as(variety, request.broker_order_id, _cancel(request.broker_order_id))

    def convert(self, request: ConvertRequest) -> Outcome:
        fields = sending.convert_fields(request)
        return self._line.write(lambda kite: kite.convert_position(**fields), named="")

    def orders(self) -> Sequence[OrderReport]:
        return self._line.read(
            KiteClient.orders,
            lambda data: reports.order_reports(data, key_of=self._line.key_of, at=self._clock()),
        )

    def order_by_tag(self, tag: str) -> OrderReport | None:
        """Return the first order of today that carries the tag; slices carry the same one."""
        return self._line.read(KiteClient.orders, lambda data: self._tagged(data, tag))

    def history(self, broker_order_id: str) -> Sequence[OrderReport]:
        return self._line.read(
            lambda kite: kite.order_history(broker_order_id),
            lambda data: reports.history_reports(data, key_of=self._line.key_of, at=self._clock()),
        )

    def trades(self) -> Sequence[TradeReport]:
        return self._line.read(
            KiteClient.trades,
            lambda data: reports.trade_reports(data, key_of=self._line.key_of, at=self._clock()),
        )

    def positions(self) -> Sequence[PositionReport]:
        return self._line.read(
            KiteClient.positions,
            lambda data: reports.position_reports(data, key_of=self._line.key_of),
        )

    def holdings(self) -> Sequence[HoldingReport]:
        return self._line.read(
            KiteClient.holdings,
            lambda data: reports.holding_reports(data, key_of=self._line.key_of),
        )

    def funds(self) -> FundsReport:
        return self._line.read(KiteClient.margins, reports.funds_report)

    def margin(self, request: PlaceRequest) -> Margin:
        fields = sending.margin_fields(request)
        return self._line.read(lambda kite: kite.order_margins([fields]), reports.margin_report)

    def capabilities(self, segment: Segment) -> Capabilities | None:
        return capabilities_on(segment)

    def profile(self) -> Profile:
        return self._line.read(KiteClient.profile, market.profile_report)

    def quotes(self, instruments: Sequence[InstrumentRef]) -> Mapping[str, QuoteReport]:
        keys = {market.symbol_of(each): each.key for each in instruments}
        symbols, found = list(keys), dict[str, QuoteReport]()
        for start in range(0, len(symbols), market.MOST_QUOTES):
            part = symbols[start : start + market.MOST_QUOTES]
            found |= self._line.read(
                methodcaller("quote", part),
                lambda data: market.quote_reports(data, keys=keys, at=self._clock()),
            )
        return found

    def candles(self, request: CandleRequest) -> Sequence[BrokerCandle]:
        request = whole_days(request, IST)
        instrument, found = request.instrument, dict[Any, BrokerCandle]()
        has_interest = instrument.instrument_type.is_derivative
        for interval, start, end in market.candle_spans(request):
            span = (words.clock_words(start), words.clock_words(end), interval)
            ask = methodcaller("historical_data", instrument.token, *span, oi=has_interest)
            found |= {each.at: each for each in self._line.read(ask, market.candles)}
        return within(found.values(), request)

    def sale_authorisations(self) -> Sequence[SaleAuthorisation]:
        profile = self._line.read(KiteClient.profile, dict)
        return self._line.read(
            KiteClient.holdings, lambda data: market.sales_to_approve(data, profile=profile)
        )

    def authorisation_page(self, isin: str, quantity: int) -> str:
        def page(kite: KiteClient) -> str:
            answer = reports.part_of(kite.authorise_sale(isin, quantity), "request_id")
            return kite.sale_page(text(answer))

        return self._line.read(page, str)

    def _tagged(self, data: object, tag: str) -> OrderReport | None:
        """:raises Unreadable: when the row that carries the tag cannot be read."""
        for row in rows_of(data, "orders"):
            if tag in words.tags_in(row):
                return reports.order_report(row, key_of=self._line.key_of, at=self._clock())
        return None

    def _write_as(self, variety: str, order_id: str, write: _Write) -> Outcome:
        """Write to an order under its variety, which an order of Kite's own app may have another.

        A refusal proves that nothing was done, so the write may be sent once more when the order
        itself says that it is of another variety.
        """
        outcome = self._line.write(lambda kite: write(kite, variety, None))
        if not isinstance(outcome, Refused) or not outcome.proof.startswith("HTTP 400"):
            return outcome
        try:
            row = self._line.read(lambda kite: kite.order_history(order_id), _newest)
        except GatewayUnavailable:
            return outcome
        real, parent = text(row.get("variety")), text(row.get("parent_order_id"))
        if not real or (real == variety and not parent):
            return outcome
        return self._line.write(lambda kite: write(kite, real, parent or None))


def _cancel(order_id: str) -> _Write:
    return lambda kite, variety, parent: kite.cancel_order(variety, order_id, parent)


def _newest(data: object) -> Row:
    rows = rows_of(data, "history")
    return rows[-1] if rows else {}
