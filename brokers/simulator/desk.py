"""What happens to an order inside the simulated broker, step by step. Runs under its lock."""

import heapq
from collections import defaultdict, deque
from datetime import datetime, timedelta
from decimal import Decimal

from brokers.adapters.paper.matching import Step, match_tick
from brokers.gateway import QuoteTick
from brokers.simulator.accounts import Account
from brokers.simulator.faults import Fault
from brokers.simulator.market import Market
from brokers.simulator.orders import LiveOrder
from brokers.simulator.records import (
    OrderEvent,
    OrderState,
    Session,
    SimChanges,
    SimEvent,
    SimTrade,
    TradeEvent,
)

_DESK = (OrderState.RECEIVED, OrderState.VALIDATING, OrderState.OPEN_PENDING)


class Desk:
    """Moves orders, books fills and notes what there is to tell in ``outbox``."""

    def __init__(self, market: Market, *, takes: timedelta, outbox: deque[SimEvent]) -> None:
        self.market = market
        self.session = Session.OPEN
        self.outbox = outbox
        self._takes = takes
        self._trade_count = 0
        self._live: dict[str, dict[int, LiveOrder]] = defaultdict(dict)
        self._accounts: dict[int, Account] = {}
        self._due: list[tuple[datetime, int, LiveOrder]] = []

    def receive(self, account: Account, order: LiveOrder, *, at: datetime) -> None:
        """Take an order that nothing is held against on its way to the exchange."""
        account.add(order)
        account.live[order.number] = order
        self._accounts[order.number] = account
        self._live[order.instrument.token][order.number] = order
        self.move(order, OrderState.RECEIVED, at=at)
        self.move(order, OrderState.VALIDATING, at=at)
        queued = OrderState.AMO_RECEIVED if order.request.is_amo else OrderState.OPEN_PENDING
        self.move(order, queued, at=at)
        self._later(order, max(order.live_at, order.visible_at))

    def reject(self, account: Account, order: LiveOrder, words: str, *, at: datetime) -> None:
        """Keep an order in the book that will never trade, with the words against it."""
        account.add(order)
        self.move(order, OrderState.RECEIVED, at=at)
        self.move(order, OrderState.VALIDATING, at=at)
        self.move(order, OrderState.REJECTED, at=at, message=words)
        self._later(order, order.visible_at)

    def ask_change(self, order: LiveOrder, changes: SimChanges, *, at: datetime) -> None:
        if order.is_at_exchange:
            self.move(order, OrderState.MODIFY_PENDING, at=at)
        order.pending_change, order.pending_at = changes, at + self._takes
        self._later(order, order.pending_at)

    def ask_cancel(self, order: LiveOrder, *, at: datetime) -> None:
        if order.is_at_exchange:
            self.move(order, OrderState.CANCEL_PENDING, at=at)
        order.pending_change, order.pending_at = None, at + self._takes
        order.is_cancelling = True
        self._later(order, order.pending_at)

    def pass_time(self, at: datetime) -> None:
        """Let everything arrive that is due by now."""
        while self._due and self._due[0][0] <= at:
            _, _, order = heapq.heappop(self._due)
            self._settle(order, at)

    def switch(self, session: Session, *, at: datetime) -> None:
        self.session = session
        for orders in list(self._live.values()):
            for order in list(orders.values()):
                self._settle(order, at)

    def match(self, tick: QuoteTick) -> None:
        """Let a tick trade with the orders at the exchange."""
        live = self._live.get(tick.key)
        if not live or self.session is not Session.OPEN:
            return
        eligible = [order.working() for order in live.values() if order.is_at_exchange]
        for step in match_tick(eligible, tick):
            self._apply(live[step.order.number], step, tick)

    def fill(self, order: LiveOrder, *, quantity: int, price: Decimal, at: datetime) -> None:
        """Book one fill and tell it; the order ends when nothing of it is left."""
        account = self._accounts[order.number]
        self._trade_count += 1
        order.filled += quantity
        order.turnover += price * quantity
        account.book_fill(order, quantity=quantity, price=price)
        seen = order.move(
            OrderState.PARTIAL if order.remaining else OrderState.COMPLETE, at=at, message=""
        )
        trade = SimTrade(
            trade_id=str(70_000_000 + self._trade_count),
            exchange_trade_id=str(50_000_000 + self._trade_count),
            order_id=order.order_id,
            exchange_order_id=order.exchange_order_id,
            client=order.client,
            instrument=order.instrument,
            side=order.request.side,
            product=order.request.product,
            quantity=quantity,
            price=price,
            traded_at=at,
        )
        account.trades.append(trade)
        account.refresh(order)
        self._tell(order, TradeEvent(trade, seen), at)
        self._tell(order, OrderEvent(seen), at)
        self._drop_if_over(order)

    def fill_whole(self, order: LiveOrder, *, at: datetime, parts: int = 1) -> None:
        """Fill all that is left at the order's limit, else at the last price."""
        price = order.request.price or self.market.last(order.instrument.token)
        self._fill_in_parts(order, price=price, parts=parts, at=at)

    def arrive(self, order: LiveOrder, *, at: datetime) -> None:
        """Put an order into the exchange's book."""
        self.move(order, order.resting_state, at=at)

    def end_day(self, *, at: datetime) -> None:
        """Expire what works for the day; orders queued for the next open stay queued."""
        for orders in list(self._live.values()):
            for order in list(orders.values()):
                if order.state is not OrderState.AMO_RECEIVED:
                    self.move(order, OrderState.EXPIRED, at=at, message="The session ended")

    def move(
        self, order: LiveOrder, state: OrderState, *, at: datetime, message: str | None = None
    ) -> None:
        self._tell(order, OrderEvent(order.move(state, at=at, message=message)), at)
        if order.number in self._accounts:
            self._accounts[order.number].refresh(order)
        self._drop_if_over(order)

    def _drop_if_over(self, order: LiveOrder) -> None:
        if order.state.is_final and order.number in self._accounts:
            self._live[order.instrument.token].pop(order.number, None)
            self._accounts.pop(order.number).live.pop(order.number, None)

    def _settle(self, order: LiveOrder, at: datetime) -> None:
        if order.visible_at <= at:
            self.outbox.extend(order.withheld)
            order.withheld.clear()
        if not order.is_working:
            return
        if order.pending_at is not None and order.pending_at <= at:
            self._carry_out(order, at)
        is_queued = order.state in _DESK or order.state is OrderState.AMO_RECEIVED
        if is_queued and order.live_at <= at and self.session is not Session.CLOSED:
            self.arrive(order, at=at)

    def _carry_out(self, order: LiveOrder, at: datetime) -> None:
        """Do what was asked of an order, now that the asking has arrived."""
        order.pending_at = None
        if order.is_cancelling:
            self.move(order, OrderState.CANCELLED, at=at, message="Cancelled on request")
            return
        changes, order.pending_change = order.pending_change, None
        if changes is None:
            return
        if changes.quantity is not None and changes.quantity <= order.filled:
            words = "The change came too late: as much was filled meanwhile"
            self.move(order, order.resting_state, at=at, message=words)
            return
        order.change(changes)
        order.is_resting, order.cap, order.live_at = False, None, at
        state = order.resting_state if order.is_at_exchange else order.state
        self.move(order, state, at=at, message="Changed on request")

    def _apply(self, order: LiveOrder, step: Step, tick: QuoteTick) -> None:
        if not order.request.order_type.needs_price:
            order.cap = step.order.limit
        order.is_resting = step.order.is_resting
        if step.order.is_triggered and not order.is_triggered:
            order.is_triggered = True
            if order.state is OrderState.TRIGGER_PENDING:
                self.move(order, order.resting_state, at=tick.at)
        if step.price is not None and order.splits:
            self._fill_in_parts(order, price=step.price, parts=order.splits, at=tick.at)
        elif step.price is not None:
            self.fill(order, quantity=step.quantity, price=step.price, at=tick.at)
        if step.is_cancelled and order.is_working:
            words = "What an immediate-or-cancel order did not trade at once is cancelled"
            self.move(order, OrderState.CANCELLED, at=tick.at, message=words)

    def _fill_in_parts(self, order: LiveOrder, *, price: Decimal, parts: int, at: datetime) -> None:
        lot = order.instrument.lot
        size = max(order.remaining // parts // lot, 1) * lot
        for number in range(parts, 0, -1):
            if order.remaining:
                whole = order.remaining if number == 1 else min(size, order.remaining)
                self.fill(order, quantity=whole, price=price, at=at)

    def _tell(self, order: LiveOrder, event: SimEvent, at: datetime) -> None:
        if order.visible_at > at:
            order.withheld.append(event)
        else:
            self.outbox.append(event)

    def _later(self, order: LiveOrder, due: datetime) -> None:
        heapq.heappush(self._due, (due, order.number, order))


def parts_of(fault: Fault, order: LiveOrder) -> int:
    """Return in how many fills the order trades: as many as the fault says, else lot by lot."""
    return fault.amount or max(order.remaining // order.instrument.lot, 1)
