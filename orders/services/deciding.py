"""Settle by hand an order that outlasted its day unknown: only the broker's own paper can tell.

A report that comes later is taken in as ever, with an alarm. A trade that was written by hand is
not booked a second time when the broker tells it; one that it tells otherwise is not booked beside
it, and the order's owner is told.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import transaction

from accounts.models import User
from accounts.permissions import require_active, require_trading_role
from brokers.gateway import TradeReport
from brokers.registry import Clock
from brokers.terms import Product, Side
from operations.figures import ist_moment, rupees
from orders.days import day_ends_at
from orders.lifecycle import IllegalTransition, Move, end_of_day
from orders.models import EventSource, Order
from orders.services.parking import claim_parked
from orders.services.sending import locked_order
from orders.services.settling import settle_unknown
from orders.services.trading import hand_trade_id, record_trades, unrecorded
from orders.services.transitions import Note, add_event, make_move, snapshot_of, write_snapshot
from orders.soundness import ReportUnsound
from orders.states import OrderStatus
from orders.validation import OrderInvalid
from risk.services import hand_over

BY_HAND = "SETTLED_BY_HAND"
_LONGEST_NUMBER = 40
_MOST_VALUE = Decimal(10**10)


class Ending(StrEnum):
    """What became of the order."""

    NEVER_ARRIVED = "rejected"
    UNFILLED = "cancelled"
    FILLED = "filled"


class StillSettling(Exception):
    """The house can still find out by itself; the words say until when."""


@dataclass(frozen=True, slots=True)
class WrittenTrade:
    """One trade as the broker's trade book or contract note has it."""

    number: str
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person has read at the broker, and where: ``evidence`` is kept word for word."""

    ending: Ending
    evidence: str
    broker_order_id: str = ""
    trades: tuple[WrittenTrade, ...] = ()

    @property
    def traded(self) -> int:
        return sum(trade.quantity for trade in self.trades)


def settled_by_itself_until(order: Order) -> datetime | None:
    """Until when the broker's book of the order's day can tell; None while no calendar says."""
    return day_ends_at(order)


def check_verdict(order: Order, verdict: Verdict) -> None:
    """Let a verdict pass that says all that its ending takes.

    :raises OrderInvalid: naming, by field, what is missing or cannot be.
    """
    complaints = {
        "evidence": _evidence_complaint(verdict),
        "broker_order_id": _number_complaint(order, verdict),
        "trades": _trades_complaint(order, verdict),
    }
    errors = {field: [words] for field, words in complaints.items() if words}
    if errors:
        raise OrderInvalid(errors)


def settle_by_hand(order: Order, verdict: Verdict, *, by: User, clock: Clock) -> Order:
    """End an unknown order of a past day as a person has read it at the broker.

    Its tag is looked up once more first: what the broker itself can tell goes before.

    :raises PermissionDenied: when the person may not trade in the order's workspace, or not now.
    :raises OrderInvalid: when the verdict lacks what its ending takes.
    :raises StillSettling: while the order's day is not over.
    :raises IllegalTransition: when the order is not unknown, or not any more.
    """
    require_trading_role(by, order.workspace)
    require_active(by, now=clock())
    check_unknown(order)
    check_over(order, now=clock())
    check_verdict(order, verdict)
    settle_unknown(order.pk, clock=clock)
    return _settle(order.pk, verdict, by, now=clock())


def check_over(order: Order, *, now: datetime) -> None:
    """:raises StillSettling: while the order's day is not over, saying until when it is."""
    until = settled_by_itself_until(order)
    if until is None:
        raise StillSettling("The calendar of its day is not known: import it first")
    if now < until:
        words = f"Pinnacle still looks it up in the broker's book of its day, until {_ist(until)}"
        raise StillSettling(f"{words}. After that a person may settle it")


@transaction.atomic
def _settle(order_id: uuid.UUID, verdict: Verdict, by: User, *, now: datetime) -> Order:
    order = locked_order(order_id)
    check_unknown(order)
    check_verdict(order, verdict)
    order.broker_order_id = verdict.broker_order_id
    words = f"Settled by hand by {by.name}: {words_of(verdict)}. Evidence: {verdict.evidence}"
    data = {"by": str(by.pk), "ending": verdict.ending.value, "evidence": verdict.evidence}
    note = Note(BY_HAND, EventSource.MANUAL, now, words, data)
    if verdict.ending is Ending.NEVER_ARRIVED:
        make_move(order, Move.GIVE_UP, note=note, now=now)
        return order
    hand_over(order.pk, now=now)
    if verdict.ending is Ending.UNFILLED:
        make_move(order, Move.CALL_ENDED, note=note, now=now)
    else:
        add_event(order, note=note, from_status=order.status, now=now)
        _book(order, verdict, now=now)
    claim_parked(order.account, order, now=now)
    return locked_order(order_id)


def _book(order: Order, verdict: Verdict, *, now: datetime) -> None:
    """Book the trades as if the broker had told them; what is left over ended with its day."""
    reports = [_report(order, trade) for trade in verdict.trades]
    try:
        new = unrecorded(order.account, reports)
    except ReportUnsound as error:
        raise OrderInvalid({"trades": [str(error)]}) from error
    record_trades(order, new, source=EventSource.MANUAL, now=now)
    if not order.state.is_final:
        words = "What was not filled ended with its day"
        note = Note("DAY_ENDED", EventSource.MANUAL, now, words)
        write_snapshot(order, end_of_day(snapshot_of(order)), note=note, now=now)


def _report(order: Order, trade: WrittenTrade) -> TradeReport:
    return TradeReport(
        trade_id=hand_trade_id(order.broker_order_id, trade.number),
        broker_order_id=order.broker_order_id,
        instrument_key=order.instrument.key,
        side=Side(order.side),
        product=Product(order.product),
        quantity=trade.quantity,
        price=trade.price,
        traded_at=order.submitted_at or order.created_at,
        exchange_trade_id=trade.number,
    )


def words_of(verdict: Verdict) -> str:
    """Say what a verdict says, in a person's words."""
    if verdict.ending is Ending.NEVER_ARRIVED:
        return "it never reached the broker"
    if verdict.ending is Ending.UNFILLED:
        return f"the broker had it as {verdict.broker_order_id}, and it ended without a fill"
    value = sum((each.price * each.quantity for each in verdict.trades), Decimal(0))
    figures = f"{rupees(verdict.traded, 0)} filled at {rupees(value / verdict.traded)}"
    return f"the broker had it as {verdict.broker_order_id}, {figures}"


def check_unknown(order: Order) -> None:
    """:raises IllegalTransition: when the order is not unknown, or not any more."""
    if order.state is not OrderStatus.UNKNOWN:
        words = f"Settling it by hand is not possible while the order is {order.status}"
        raise IllegalTransition(words)


def _evidence_complaint(verdict: Verdict) -> str:
    if len(verdict.evidence.strip()) < 10:
        return "Say where at the broker you read it: the order book, a contract note and its number"
    return "" if "\x00" not in verdict.evidence else "These words hold a character nobody can read"


def _number_complaint(order: Order, verdict: Verdict) -> str:
    number = verdict.broker_order_id
    if not _is_number(number):
        return "A broker's order number has up to 40 letters and digits, and no spaces"
    if order.broker_order_id and number != order.broker_order_id:
        return f"The broker had it as {order.broker_order_id}: write that number"
    if verdict.ending is Ending.NEVER_ARRIVED:
        return "An order that never arrived has no number at the broker" if number else ""
    if not number:
        return "Write the broker's order number: a later report is matched by it"
    others = Order.objects.filter(account=order.account, broker_order_id=number)
    other = others.exclude(pk=order.pk).first()
    if other is None:
        return ""
    return f"That is another order here: {other.get_status_display().lower()}, tag {other.tag}"


def _trades_complaint(order: Order, verdict: Verdict) -> str:
    if verdict.ending is not Ending.FILLED:
        return "Only a filled order has trades" if verdict.trades else ""
    if not verdict.trades:
        return "Write each trade with its number, quantity and price"
    if words := _written_complaint(verdict.trades):
        return words
    if verdict.traded > order.quantity:
        asked = rupees(order.quantity, 0)
        return f"{rupees(verdict.traded, 0)} are more than the {asked} that were asked for"
    return _booked_complaint(order, verdict)


def _written_complaint(trades: Sequence[WrittenTrade]) -> str:
    if any(not each.number or each.quantity <= 0 or each.price <= 0 for each in trades):
        return "Each trade needs a number, a quantity and a price above zero"
    if not all(_is_number(each.number) for each in trades):
        return "A trade's number has up to 40 letters and digits, and no spaces"
    if any(each.price * each.quantity >= _MOST_VALUE for each in trades):
        return "No trade is worth that much: look at its quantity and price again"
    if len({each.number for each in trades}) < len(trades):
        return "A trade is written twice"
    return ""


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and text.isprintable() and " " not in text


def _booked_complaint(order: Order, verdict: Verdict) -> str:
    """Some of its trades may be known: written down again, they would be booked twice."""
    if not order.traded_quantity:
        return ""
    numbers = {each.number for each in verdict.trades}
    told = order.trades.values_list("broker_trade_id", "exchange_trade_id")
    again = sorted(number for pair in told for number in pair if number in numbers)
    if again:
        return f"Trade {again[0]} is booked already: write only what is not"
    left = order.quantity - order.traded_quantity
    if verdict.traded > left:
        return f"Only {rupees(left, 0)} of it are not booked yet: write only their trades"
    return ""


def _ist(at: datetime) -> str:
    return f"{ist_moment(at)} IST"
