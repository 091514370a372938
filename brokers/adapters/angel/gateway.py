"""The gateway to one account at Angel One: the port, and the abilities that SmartAPI offers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TypeVar

from brokers.abilities import BracketRequest, ConvertRequest, Profile, SaleAuthorisation
from brokers.adapters.angel import rows, sending
from brokers.adapters.angel.approvals import ApprovesSales
from brokers.adapters.angel.capability import capabilities_on
from brokers.adapters.angel.client import AngelClient
from brokers.adapters.angel.line import AngelLine, Ask
from brokers.adapters.angel.market import MarketReads
from brokers.adapters.angel.outcomes import OTHER_VARIETY, Write
from brokers.adapters.angel.protection import protected_price
from brokers.adapters.angel.triggers import KeepsRules
from brokers.adapters.angel.words import PRODUCTS, side_of
from brokers.answers import not_sent
from brokers.capabilities import Capabilities
from brokers.directory import is_unknown, key_at
from brokers.gateway import (
    CancelRequest,
    FundsReport,
    GatewayUnavailable,
    HoldingReport,
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
from brokers.rows import Listed, read_rows
from brokers.terms import OrderType, Segment, Side
from brokers.transport import Admit, admit_all
from brokers.values import Row, Unreadable, required, text

NAME = "angel"
Told = TypeVar("Told")


def open_gateway(account: TradingAccount, clock: Clock) -> "AngelGateway":
    """Open the way to one account; its calls keep to what Angel One publishes."""
    return AngelGateway(account, clock, admit=governor_for(account.connection, clock=clock))


class AngelGateway(MarketReads, KeepsRules, ApprovesSales):
    """One account at Angel One.

    What its risk management holds against an order is not told by the answer: the order is
    accepted and stands rejected in the order book. Nothing there is numbered, so reports have no
    sequence, and tags are ours alone to keep unique.
    """

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit = admit_all) -> None:
        self.line = AngelLine(account, clock, admit=admit)
        self.key_of = cache(lambda exchange, token: key_at(NAME, exchange=exchange, token=token))
        self._clock = clock
        self._places: dict[str, str] = {}

    def place(self, request: PlaceRequest) -> Outcome:
        refusal = sending.objection(request)
        if refusal is not None:
            return refusal
        try:
            sendable = self._sendable(request, request.side)
        except GatewayUnavailable as error:
            return not_sent(f"A market order wants a last price: {error}")
        params = sending.place_params(request, sendable)
        return self.line.write(Write.PLACE, lambda client: client.place(params))

    def modify(self, request: ModifyRequest) -> Outcome:
        """Change an order; its product and variety are read from the book first."""
        refusal = sending.change_objection(request)
        if refusal is not None:
            return refusal
        try:
            row = self._row_of(request.broker_order_id)
            sendable = self._sendable(request, side_of(str(row.get("transactiontype", ""))))
        except (GatewayUnavailable, Unreadable) as error:
            return not_sent(f"Nothing was changed: {error}")
        params = sending.modify_params(request, sendable, product=str(row.get("producttype", "")))
        params["variety"] = str(row.get("variety") or params["variety"])
        return self.line.write(
            Write.CHANGE, lambda client: client.modifyOrder(params), about=request.broker_order_id
        )

    def cancel(self, request: CancelRequest) -> Outcome:
        """Take an order back; where its variety turns out to be another, ask once more with that.

        An order sent after hours becomes an after-market order without being told.
        """
        variety = sending.cancel_variety(request)
        outcome = self._cancel(request.broker_order_id, variety)
        if not (isinstance(outcome, Refused) and outcome.proof == OTHER_VARIETY):
            return outcome
        try:
            told = str(self._row_of(request.broker_order_id).get("variety") or variety)
        except GatewayUnavailable:
            return outcome
        return outcome if told == variety else self._cancel(request.broker_order_id, told)

    def orders(self) -> Sequence[OrderReport]:
        now = self._clock()
        return self._book(lambda row: rows.order_report(row, self.key_of, now=now))

    def history(self, broker_order_id: str) -> Sequence[OrderReport]:
        """Return the order as it is: Angel One keeps no earlier states."""
        return [each for each in self.orders() if each.broker_order_id == broker_order_id]

    def trades(self) -> Sequence[TradeReport]:
        now = self._clock()
        told = self._rows("trade book", _trade_book, _as_it_is)
        # A fill comes without the instrument's number, which its order has.
        if any(text(row.get("orderid")) not in self._places for row in told):
            self._book(_as_it_is)
        found = read_rows(
            told,
            lambda row: rows.trade_report(row, self._traded_key(row), now=now),
            naming=replace(rows.naming(self.key_of), key=self._traded_key),
            broker=rows.BROKER,
        )
        return Listed(found, unreadable=(*told.unreadable, *found.unreadable))

    def positions(self) -> Sequence[PositionReport]:
        return self._rows(
            "positions", _positions, lambda row: rows.position_report(row, self.key_of)
        )

    def holdings(self) -> Sequence[HoldingReport]:
        return self._rows("holdings", _holdings, lambda row: rows.holding_report(row, self.key_of))

    def funds(self) -> FundsReport:
        return self.line.read("funds", lambda client: client.rmsLimit(), rows.funds_report)

    def margin(self, request: PlaceRequest) -> Margin:
        """:raises GatewayUnavailable: also for what Angel One does not trade."""
        refusal = sending.objection(request)
        if refusal is not None:
            raise GatewayUnavailable(refusal.reason)
        params = sending.margin_params(request, request.price)
        return self.line.read(
            "margin", lambda client: client.getMarginApi(params), rows.margin_report
        )

    def capabilities(self, segment: Segment) -> Capabilities | None:
        return capabilities_on(segment)

    def profile(self) -> Profile:
        return self.line.read(
            "profile",
            lambda client: client.getProfile(client.refresh_token),
            lambda data: rows.profile_of(data, valid_until=None),
        )

    def sale_authorisations(self) -> Sequence[SaleAuthorisation]:
        return self._rows("holdings", _holdings, rows.sale_authorisation)

    def convert(self, request: ConvertRequest) -> Outcome:
        if request.is_overnight:
            return not_sent("Angel One converts positions of today alone")
        try:
            row = self._position_of(request)
        except GatewayUnavailable as error:
            return not_sent(f"Nothing was converted: {error}")
        params = sending.convert_params(request, dict(row))
        return self.line.write(
            Write.CONVERT,
            lambda client: client.convertPosition(params),
            about=request.instrument.token,
        )

    def place_bracket(self, request: BracketRequest) -> Outcome:
        refusal = sending.objection(request.entry)
        if refusal is not None:
            return refusal
        try:
            params = sending.bracket_params(request)
        except ValueError as error:
            return not_sent(str(error))
        return self.line.write(Write.PLACE, lambda client: client.place(params))

    def cancel_bracket(self, broker_order_id: str) -> Outcome:
        return self._cancel(broker_order_id, sending.BRACKET)

    def _cancel(self, broker_order_id: str, variety: str) -> Outcome:
        return self.line.write(
            Write.CHANGE,
            lambda client: client.cancelOrder(broker_order_id, variety),
            about=broker_order_id,
        )

    def _sendable(self, request: PlaceRequest | ModifyRequest, side: Side) -> sending.Sendable:
        """:raises GatewayUnavailable: when a market order finds no price to be protected by."""
        kind = request.order_type
        if kind is OrderType.MARKET:
            last = self.last_price(request.instrument)
            price = protected_price(request.instrument, side=side, last=last)
            return sending.Sendable(OrderType.LIMIT, price, None)
        trigger = request.trigger_price if kind.needs_trigger else None
        return sending.Sendable(kind, request.price, trigger)

    def _book(self, each: Callable[[Row], Told]) -> Listed[Told]:
        """Read the order book, and remember of which instrument each order is."""

        def remembered(row: Row) -> Told:
            self._places[required(row, "orderid")] = rows.key_of_row(row, self.key_of)
            return each(row)

        return self._rows("order book", _order_book, remembered)

    def _row_of(self, broker_order_id: str) -> Row:
        for row in self._book(_as_it_is):
            if text(row.get("orderid")) == broker_order_id:
                return row
        raise GatewayUnavailable(f"Angel One's order book has no order {broker_order_id}")

    def _position_of(self, request: ConvertRequest) -> Row:
        place = (sending.exchange_of(request.instrument), request.instrument.token)
        word = PRODUCTS[request.old_product]
        for row in self._rows("positions", _positions, _as_it_is):
            told = (str(row.get("exchange")), str(row.get("symboltoken")))
            if told == place and row.get("producttype") == word:
                return row
        raise GatewayUnavailable("Angel One tells no such position")

    def _traded_key(self, row: Row) -> str:
        """Return what a fill's order is of; by its symbol while the book has not got the order.

        :raises Unreadable: when it names neither.
        """
        order_id = text(row.get("orderid"))
        if order_id in self._places:
            return self._places[order_id]
        key = rows.key_of_row(row, self.key_of)
        if is_unknown(key):
            raise Unreadable(f"the order book lacks order {order_id}, which has a fill")
        return key

    def _rows(self, what: str, ask: Ask, each: Callable[[Row], Told]) -> Listed[Told]:
        """Null is Angel's word for an empty book."""
        naming = rows.naming(self.key_of)
        return self.line.read(
            what,
            ask,
            lambda data: read_rows(
                [] if data is None else data, each, naming=naming, broker=rows.BROKER
            ),
        )


def _as_it_is(row: Row) -> Row:
    return row


def _order_book(client: AngelClient) -> Row:
    told: Row = client.orderBook()
    return told


def _trade_book(client: AngelClient) -> Row:
    told: Row = client.tradeBook()
    return told


def _positions(client: AngelClient) -> Row:
    told: Row = client.position()
    return told


def _holdings(client: AngelClient) -> Row:
    told: Row = client.holding()
    return told
