"""Which orders one tick fills, at what price, and how much. Pure: no clock, no database.

The rules, in the order they are asked:

* A tick older than the order's arrival at the exchange does nothing to it.
* A stop waits until the last price reaches its trigger (a buy at or above, a sell at or below).
* A market order becomes a limit at its protected price on the first tick it meets.
* An order that has not yet waited in the book takes: from the opposite quote at the quote, up to
  the displayed quantity; without any quote at the last price, up to a share of the tick's volume.
* An order that has waited makes: at its own limit, never better, once the opposite quote crosses
  it or the last price trades *through* it. Touching is not enough: others stood before it.
* Better prices go first, then earlier arrivals, and all of them share one tick's quantities.
* An IOC order takes what its first tick gives, and never rests.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum

from brokers.adapters.paper.protection import protected_price
from brokers.gateway import QuoteTick
from brokers.terms import InstrumentType, OrderType, Side, Validity

VOLUME_SHARE_PERCENT = 25


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """One order as matching sees it. ``limit`` is None until a market order has met a tick."""

    number: int
    side: Side
    instrument_type: InstrumentType
    lot_size: int
    tick_size: Decimal
    order_type: OrderType
    validity: Validity
    remaining: int
    live_at: datetime
    limit: Decimal | None
    trigger: Decimal | None = None
    is_triggered: bool = False
    is_resting: bool = False
    chases: bool = False

    @property
    def waits_for_trigger(self) -> bool:
        return self.order_type.needs_trigger and not self.is_triggered


@dataclass(frozen=True, slots=True)
class Step:
    """What one tick did to one order: the order after it, and the fill if there was one."""

    order: WorkingOrder
    quantity: int = 0
    price: Decimal | None = None
    is_cancelled: bool = False


class _Source(Enum):
    """Where a fill's quantity comes from."""

    ASK = "ask"
    BID = "bid"
    TRADED = "traded"


_Supply = dict[_Source, int]


def match_tick(orders: Iterable[WorkingOrder], tick: QuoteTick) -> list[Step]:
    """Return a step for every order that this tick changes, best price first."""
    supply = {
        _Source.ASK: tick.ask_quantity,
        _Source.BID: tick.bid_quantity,
        _Source.TRADED: tick.volume * VOLUME_SHARE_PERCENT // 100,
    }
    ready = [_prepared(order, tick) for order in orders if order.live_at <= tick.at]
    steps = []
    for before, order in sorted(ready, key=lambda pair: _priority(pair[1], tick)):
        step = _step(order, tick, supply)
        if step.quantity or step.is_cancelled or step.order != before:
            steps.append(step)
    return steps


def _prepared(order: WorkingOrder, tick: QuoteTick) -> tuple[WorkingOrder, WorkingOrder]:
    """Pair the order with itself once triggered and, for a market order, protected."""
    after = order
    if order.waits_for_trigger and _reaches_trigger(order, tick):
        after = replace(after, is_triggered=True)
    if not after.waits_for_trigger and (after.limit is None or after.chases):
        cap = protected_price(
            tick.ltp,
            side=order.side,
            instrument_type=order.instrument_type,
            tick_size=order.tick_size,
        )
        after = replace(after, limit=cap)
    return order, after


def _reaches_trigger(order: WorkingOrder, tick: QuoteTick) -> bool:
    if order.trigger is None:
        return False
    return (tick.ltp - order.trigger) * order.side.sign >= 0


def _priority(order: WorkingOrder, tick: QuoteTick) -> tuple[Decimal, datetime, int]:
    generosity = ((order.limit or tick.ltp) - tick.ltp) * order.side.sign
    return (-generosity, order.live_at, order.number)


def _step(order: WorkingOrder, tick: QuoteTick, supply: _Supply) -> Step:
    if order.waits_for_trigger or order.limit is None:
        return Step(order)
    offer = _offer(order, order.limit, tick)
    if offer is None:
        return Step(replace(order, is_resting=True), is_cancelled=order.validity is Validity.IOC)
    price, source = offer
    quantity = min(order.remaining, supply[source]) // order.lot_size * order.lot_size
    supply[source] -= quantity
    remaining = order.remaining - quantity
    ends = order.validity is Validity.IOC and remaining > 0
    after = replace(order, remaining=remaining)
    return Step(after, quantity, price if quantity else None, is_cancelled=ends)


def _offer(order: WorkingOrder, limit: Decimal, tick: QuoteTick) -> tuple[Decimal, _Source] | None:
    """Return the price at which the tick would trade with the order, and out of which supply."""
    if order.side is Side.BUY:
        quote, displayed, shown = tick.ask, tick.ask_quantity, _Source.ASK
    else:
        quote, displayed, shown = tick.bid, tick.bid_quantity, _Source.BID
    if quote is not None and (limit - quote) * order.side.sign >= 0:
        return (limit if order.is_resting else quote), (shown if displayed else _Source.TRADED)
    return _offer_of_others(order, limit, tick)


def _offer_of_others(
    order: WorkingOrder, limit: Decimal, tick: QuoteTick
) -> tuple[Decimal, _Source] | None:
    """Return what others' trade gives an order that the opposite quote does not reach."""
    room = (limit - tick.ltp) * order.side.sign
    if order.is_resting:
        # Somebody traded beyond our price, so our own turn has come, at our price.
        return (limit, _Source.TRADED) if room > 0 else None
    is_quoted = tick.bid is not None or tick.ask is not None
    return None if is_quoted or room < 0 else (tick.ltp, _Source.TRADED)
