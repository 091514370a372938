"""One client's account at the simulated broker: orders, trades, positions, shares, cash."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from brokers.adapters.paper.margins import (
    Leg,
    PositionState,
    booked,
    cash_change,
    margin_of_open,
)
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.market import Market
from brokers.simulator.orders import LiveOrder
from brokers.simulator.records import SimFunds, SimHolding, SimPosition, SimTrade
from brokers.terms import InstrumentType, Product, Side

_AVERAGE_UNIT = Decimal("0.0001")
_PAISA = Decimal("0.01")
_ZERO = Decimal(0)


@dataclass(slots=True)
class Position:
    """What was traded of one instrument under one product, and what was carried into today."""

    instrument: SimInstrument
    product: Product
    state: PositionState = field(default_factory=PositionState)
    buy_value: Decimal = _ZERO
    sell_value: Decimal = _ZERO
    carried: int = 0

    @property
    def average(self) -> Decimal:
        return _average(self.state.cost, abs(self.state.quantity))

    def unrealized(self, last: Decimal) -> Decimal:
        state = self.state
        sign = 1 if state.quantity > 0 else -1
        return last * state.quantity - state.cost * sign


@dataclass(slots=True)
class Shares:
    """Delivery shares from earlier days."""

    instrument: SimInstrument
    settled: int = 0
    t1: int = 0
    cost: Decimal = _ZERO

    @property
    def quantity(self) -> int:
        return self.settled + self.t1


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What one working order blocks and may still trade; rounded, so that sums come out even."""

    money: Decimal
    quantity: int


def _waiting(order: LiveOrder) -> _Waiting:
    money = order.blocked * order.remaining / order.request.quantity
    return _Waiting(money.quantize(_AVERAGE_UNIT), order.remaining)


_NOTHING = _Waiting(_ZERO, 0)


class Account:
    """The broker's lock guards it; what it returns is frozen."""

    def __init__(self, client: str, cash: Decimal) -> None:
        self.client = client
        self.cash = cash
        self.opening_cash = cash
        self.orders: dict[str, LiveOrder] = {}
        self.live: dict[int, LiveOrder] = {}
        self.tags: set[str] = set()
        self.trades: list[SimTrade] = []
        self.shares: dict[str, Shares] = {}
        self._positions: dict[tuple[str, Product], Position] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._blocked = _ZERO
        self._pending: Counter[tuple[str, Product, Side]] = Counter()

    def add(self, order: LiveOrder) -> None:
        self.orders[order.order_id] = order
        self.tags.add(order.request.tag)

    def refresh(self, order: LiveOrder) -> None:
        """Take up what an order still waits for, after any change of it."""
        key = (order.instrument.token, order.request.product, order.request.side)
        before = self._waiting.pop(order.number, _NOTHING)
        after = _waiting(order) if order.is_working else _NOTHING
        if order.is_working:
            self._waiting[order.number] = after
        self._blocked += after.money - before.money
        self._pending[key] += after.quantity - before.quantity

    def book_fill(self, order: LiveOrder, *, quantity: int, price: Decimal) -> None:
        """Add one fill to the position and the cash."""
        instrument, request = order.instrument, order.request
        position = self._position(instrument, request.product)
        before = position.state
        position.state = booked(before, side=request.side, quantity=quantity, price=price)
        if request.side is Side.BUY:
            position.buy_value += price * quantity
        else:
            position.sell_value += price * quantity
        leg = Leg(instrument.ref, request.product, request.side, quantity)
        realized = position.state.realized_pnl - before.realized_pnl
        self.cash += cash_change(leg, price=price, realized=realized)

    def net_quantity(self, token: str, product: Product) -> int:
        position = self._positions.get((token, product))
        return position.state.quantity if position else 0

    def pending_quantity(self, leg: Leg, *, besides: LiveOrder | None) -> int:
        """Return what working orders on the leg's side may still trade."""
        pending = self._pending[leg.instrument.token, leg.product, leg.side]
        is_same = besides is not None and besides.request.side is leg.side
        return pending - besides.remaining if besides is not None and is_same else pending

    def sellable(self, instrument: SimInstrument, *, besides: LiveOrder | None) -> int:
        """Return how many delivery shares may still be sold."""
        held = self.shares.get(instrument.token)
        sale = Leg(instrument.ref, Product.CNC, Side.SELL, 0)
        owned = (held.quantity if held else 0) + self.net_quantity(instrument.token, Product.CNC)
        again = besides.filled if besides else 0
        return max(owned - self.pending_quantity(sale, besides=besides) + again, 0)

    def free_money(self, *, besides: LiveOrder | None = None) -> Decimal:
        return self.cash - self._blocked_by_orders(besides=besides) - self._blocked_by_positions()

    def funds(self, market: Market) -> SimFunds:
        positions = self._positions.values()
        return SimFunds(
            opening_balance=self.opening_cash,
            cash=self.cash,
            blocked_by_orders=self._blocked_by_orders(),
            blocked_by_positions=self._blocked_by_positions(),
            available=self.free_money(),
            realized=sum((each.state.realized_pnl for each in positions), _ZERO),
            unrealized=sum(
                (each.unrealized(market.last(each.instrument.token)) for each in positions), _ZERO
            ),
        )

    def positions(self, market: Market) -> tuple[SimPosition, ...]:
        return tuple(_told(each, market) for each in self._positions.values())

    def holdings(self, market: Market) -> tuple[SimHolding, ...]:
        return tuple(
            SimHolding(
                instrument=held.instrument,
                quantity=held.settled,
                t1_quantity=held.t1,
                average_price=_average(held.cost, held.quantity),
                last_price=market.last(token),
                close=market.close(token),
            )
            for token, held in self.shares.items()
        )

    def give(self, instrument: SimInstrument, *, quantity: int, average: Decimal) -> None:
        held = self.shares.setdefault(instrument.token, Shares(instrument))
        held.settled += quantity
        held.cost += average * quantity

    def next_day(self) -> None:
        """Settle what was bought the day before, turn deliveries into shares, carry the rest.

        Intraday positions nobody closed are carried too: this broker squares nothing off.
        """
        for held in self.shares.values():
            held.settled, held.t1 = held.quantity, 0
        for position in list(self._positions.values()):
            self._turn(position)
        self.orders = {each.order_id: each for each in self.live.values()}
        self.trades.clear()
        self.opening_cash = self.cash

    def _turn(self, position: Position) -> None:
        is_share = position.instrument.kind is InstrumentType.EQ
        key = (position.instrument.token, position.product)
        if is_share and position.product is Product.CNC:
            self._deliver(position)
        elif position.state.quantity:
            kept = PositionState(position.state.quantity, position.state.cost)
            carried = position.state.quantity
            position = Position(position.instrument, position.product, kept, carried=carried)
            self._positions[key] = position
            return
        del self._positions[key]

    def _deliver(self, position: Position) -> None:
        token, bought = position.instrument.token, position.state.quantity
        held = self.shares.setdefault(token, Shares(position.instrument))
        if bought >= 0:
            held.t1 += bought
            held.cost += position.state.cost
        elif held.quantity:
            held.cost -= held.cost * -bought / held.quantity
            held.settled += bought
        if not held.quantity:
            del self.shares[token]

    def _position(self, instrument: SimInstrument, product: Product) -> Position:
        key = (instrument.token, product)
        return self._positions.setdefault(key, Position(instrument, product))

    def _blocked_by_orders(self, *, besides: LiveOrder | None = None) -> Decimal:
        aside = self._waiting.get(besides.number, _NOTHING) if besides else _NOTHING
        return (self._blocked - aside.money).quantize(_PAISA)

    def _blocked_by_positions(self) -> Decimal:
        total = _ZERO
        for each in self._positions.values():
            if each.state.quantity:
                side = Side.BUY if each.state.quantity > 0 else Side.SELL
                leg = Leg(each.instrument.ref, each.product, side, abs(each.state.quantity))
                total += margin_of_open(leg, each.average).total
        return total


def _told(position: Position, market: Market) -> SimPosition:
    state, last = position.state, market.last(position.instrument.token)
    return SimPosition(
        instrument=position.instrument,
        product=position.product,
        quantity=state.quantity,
        average_price=position.average,
        buy_quantity=state.buy_quantity,
        sell_quantity=state.sell_quantity,
        buy_value=position.buy_value,
        sell_value=position.sell_value,
        carried_quantity=position.carried,
        realized=state.realized_pnl,
        unrealized=position.unrealized(last),
        last_price=last,
    )


def _average(value: Decimal, quantity: int) -> Decimal:
    return (value / quantity).quantize(_AVERAGE_UNIT) if quantity else _ZERO
