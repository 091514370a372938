"""The simulated broker's front desk: what it takes, changes, cancels, and what it refuses."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from brokers.adapters.paper.acceptance import Proof
from brokers.simulator.accounts import Account
from brokers.simulator.desk import Desk, parts_of
from brokers.simulator.faults import SURFACES_AFTER_SECONDS, FaultName, Faults
from brokers.simulator.judging import Moment, money_needed
from brokers.simulator.market import Market
from brokers.simulator.orders import LiveOrder, changed
from brokers.simulator.records import OrderState, Refusal, SimChanges, SimOrder, SimOrderRequest
from brokers.venue import IST

DUPLICATE_TAG = "SIM:DUPLICATE_TAG"
UNKNOWN_INSTRUMENT = "SIM:UNKNOWN_INSTRUMENT"
_RMS_WORDS = "RMS:Blocked for this client by risk management"
# What a broker's own desk answers at once; the exchange and risk management speak in the book.
_AT_ONCE = ("SIM:", "OMS:")


class Intake:
    """Runs under the broker's lock. ``name_order`` makes an order's id from its number."""

    def __init__(self, desk: Desk, market: Market, faults: Faults, *, takes: timedelta) -> None:
        self.name_order: Callable[[int], str] | None = None
        self._desk = desk
        self._market = market
        self._faults = faults
        self._takes = takes
        self._count = 0

    def objection_to_tag(self, account: Account, request: SimOrderRequest) -> Refusal | None:
        if request.tag and request.tag in account.tags:
            return Refusal(DUPLICATE_TAG, f"The tag {request.tag} was used before")
        return None

    def need(
        self,
        account: Account,
        request: SimOrderRequest,
        *,
        at: datetime,
        besides: LiveOrder | None = None,
    ) -> Decimal | Refusal:
        """Return the money the order blocks, or the first reason against it."""
        if not self._market.has(request.instrument_token):
            words = f"There is no instrument with the token {request.instrument_token}"
            return Refusal(UNKNOWN_INSTRUMENT, words)
        moment = Moment(self._market, self._desk.session, at)
        return money_needed(account, request, moment, besides=besides)

    def place(
        self,
        account: Account,
        request: SimOrderRequest,
        *,
        at: datetime,
        reject_in_book: bool = False,
        is_external: bool = False,
    ) -> SimOrder | Refusal:
        need = self.need(account, request, at=at)
        if isinstance(need, Refusal) and (not reject_in_book or need.code.startswith(_AT_ONCE)):
            return need
        order = self._new_order(account, request, at, is_external=is_external)
        if self._faults.take(FaultName.RMS_IN_BOOK, "place"):
            need = Refusal(Proof.MARGIN, _RMS_WORDS)
        if isinstance(need, Refusal):
            self._desk.reject(account, order, need.words, at=at)
        else:
            order.blocked = need
            self._desk.receive(account, order, at=at)
        self._desk.pass_time(at)
        if order.is_working and self._faults.take(FaultName.FILL_BEFORE_ORDER, "place"):
            self._fill_at_once(order, at)
        return order.snapshot()

    def modify(
        self, account: Account, order_id: str, changes: SimChanges, *, at: datetime
    ) -> SimOrder | Refusal:
        order = self._working(account, order_id, at)
        if isinstance(order, Refusal):
            return order
        asked = changed(order.request, changes)
        if asked.quantity <= order.filled:
            words = f"{order.filled} are filled already: cancel the rest instead"
            return Refusal(Proof.QUANTITY, words)
        need = self.need(account, order.as_judged(asked), at=at, besides=order)
        if isinstance(need, Refusal):
            return need
        order.blocked = need * asked.quantity / (asked.quantity - order.filled)
        account.refresh(order)
        self._desk.ask_change(order, changes, at=at)
        self._desk.pass_time(at)
        return order.snapshot()

    def cancel(self, account: Account, order_id: str, *, at: datetime) -> SimOrder | Refusal:
        order = self._working(account, order_id, at)
        if isinstance(order, Refusal):
            return order
        if order.is_at_exchange and self._faults.take(FaultName.CANCEL_LOSES_TO_FILL, "cancel"):
            self._desk.move(order, OrderState.CANCEL_PENDING, at=at)
            answered = order.snapshot()
            self._desk.fill_whole(order, at=at)
            return answered
        self._desk.ask_cancel(order, at=at)
        self._desk.pass_time(at)
        return order.snapshot()

    def _working(self, account: Account, order_id: str, at: datetime) -> LiveOrder | Refusal:
        order = account.orders.get(order_id)
        if order is None or order.visible_at > at:
            return Refusal(Proof.NO_ORDER, f"There is no order {order_id}")
        if not order.is_working:
            return Refusal(Proof.NOT_WORKING, f"The order is {order.state} already")
        return order

    def _new_order(
        self, account: Account, request: SimOrderRequest, at: datetime, *, is_external: bool
    ) -> LiveOrder:
        self._count += 1
        number = self._count
        name = self.name_order or _named_by_day(at)
        late = self._faults.take(FaultName.SURFACES_LATE, "place")
        hidden = timedelta(0)
        if late is not None:
            hidden = timedelta(seconds=late.seconds or SURFACES_AFTER_SECONDS)
        order = LiveOrder(
            number=number,
            order_id=name(number),
            client=account.client,
            instrument=self._market.instrument(request.instrument_token),
            request=request,
            placed_at=at,
            live_at=at + max(self._takes, hidden),
            visible_at=at + hidden,
            is_external=is_external,
        )
        many = self._faults.take(FaultName.MANY_FILLS, "place")
        if many is not None:
            order.splits = parts_of(many, order)
        return order

    def _fill_at_once(self, order: LiveOrder, at: datetime) -> None:
        if not order.is_at_exchange:
            self._desk.arrive(order, at=at)
        self._desk.fill_whole(order, at=at, parts=order.splits or 1)


def _named_by_day(at: datetime) -> Callable[[int], str]:
    day = at.astimezone(IST)
    return lambda number: f"{day:%y%m%d}{number:09d}"
