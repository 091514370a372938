"""How an order's state moves: one table for what we do, one merge for what a broker tells.

Our own moves (:data:`MOVES`) are strict: a pair that is not listed is illegal. A broker's reports
are facts, not moves: they may come late, twice, in any order and by several channels, so they are
merged, and the merge is the same whatever their order. Filled quantity is the largest anybody
reported; an end outranks whatever was before it; between two reports of the same kind the one
with the higher (sequence, time) wins; an order filled in whole is FILLED whatever else was said.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from brokers.gateway import BrokerStatus
from orders.states import FINAL, WORKING, OrderStatus

S = OrderStatus


class Move(StrEnum):
    """What this house does to an order."""

    SUBMIT = "SUBMIT"
    DENY = "DENY"
    WITHDRAW = "WITHDRAW"
    EXPIRE = "EXPIRE"
    ACCEPT = "ACCEPT"
    REFUSE = "REFUSE"
    LOSE = "LOSE"
    GIVE_UP = "GIVE_UP"
    CALL_ENDED = "CALL_ENDED"
    ASK_MODIFY = "ASK_MODIFY"
    MODIFY_DONE = "MODIFY_DONE"
    MODIFY_REFUSED = "MODIFY_REFUSED"
    ASK_CANCEL = "ASK_CANCEL"
    CANCEL_REFUSED = "CANCEL_REFUSED"


class IllegalTransition(Exception):
    """The order's state does not allow that move."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An order as far as its lifecycle goes. ``report_key`` is that of the report which set its
    broker status; ``is_reported`` says whether any report has been merged yet."""

    status: OrderStatus
    quantity: int
    filled_quantity: int = 0
    previous_status: OrderStatus | None = None
    report_key: tuple[int, datetime | None] = (0, None)
    is_reported: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a broker's report says of the lifecycle."""

    status: BrokerStatus
    quantity: int
    filled_quantity: int
    sequence: int
    updated_at: datetime


# Where a reply can be overtaken by a report: the reply then changes nothing.
_KNOWN_AT_BROKER = (
    S.PLACED,
    S.QUEUED_AMO,
    S.OPEN,
    S.TRIGGER_PENDING,
    S.PARTIALLY_FILLED,
    S.MODIFY_PENDING,
    S.CANCEL_PENDING,
    *FINAL,
)
_CHANGEABLE = (S.PLACED, S.QUEUED_AMO, S.OPEN, S.TRIGGER_PENDING, S.PARTIALLY_FILLED)
_BACK = None  # returns to the state the order had before the change was asked for


def _stay(move: Move, *states: OrderStatus) -> dict[tuple[OrderStatus, Move], OrderStatus | None]:
    return {(state, move): state for state in states}


MOVES: dict[tuple[OrderStatus, Move], OrderStatus | None] = {
    (S.PENDING, Move.SUBMIT): S.SUBMITTING,
    (S.PENDING, Move.DENY): S.DENIED,
    (S.PENDING, Move.WITHDRAW): S.CANCELLED,
    (S.PENDING, Move.EXPIRE): S.EXPIRED,
    (S.SUBMITTING, Move.ACCEPT): S.PLACED,
    (S.UNKNOWN, Move.ACCEPT): S.PLACED,
    **_stay(Move.ACCEPT, *_KNOWN_AT_BROKER),
    (S.SUBMITTING, Move.REFUSE): S.REJECTED,
    (S.UNKNOWN, Move.REFUSE): S.REJECTED,
    **_stay(Move.REFUSE, *_KNOWN_AT_BROKER),
    (S.SUBMITTING, Move.LOSE): S.UNKNOWN,
    **_stay(Move.LOSE, S.UNKNOWN, *_KNOWN_AT_BROKER),
    (S.UNKNOWN, Move.GIVE_UP): S.REJECTED,
    **_stay(Move.GIVE_UP, *_KNOWN_AT_BROKER),
    (S.UNKNOWN, Move.CALL_ENDED): S.CANCELLED,
    **{(state, Move.ASK_MODIFY): S.MODIFY_PENDING for state in _CHANGEABLE},
    (S.MODIFY_PENDING, Move.MODIFY_DONE): _BACK,
    **_stay(Move.MODIFY_DONE, S.UNKNOWN, S.CANCEL_PENDING, *_CHANGEABLE, *FINAL),
    (S.MODIFY_PENDING, Move.MODIFY_REFUSED): _BACK,
    **_stay(Move.MODIFY_REFUSED, S.UNKNOWN, S.CANCEL_PENDING, *_CHANGEABLE, *FINAL),
    **{(state, Move.ASK_CANCEL): S.CANCEL_PENDING for state in _CHANGEABLE},
    (S.MODIFY_PENDING, Move.ASK_CANCEL): S.CANCEL_PENDING,
    # Where the broker's number of it is known, which the caller sees to.
    (S.UNKNOWN, Move.ASK_CANCEL): S.CANCEL_PENDING,
    (S.CANCEL_PENDING, Move.ASK_CANCEL): S.CANCEL_PENDING,
    (S.CANCEL_PENDING, Move.CANCEL_REFUSED): _BACK,
    **_stay(Move.CANCEL_REFUSED, S.UNKNOWN, S.MODIFY_PENDING, *_CHANGEABLE, *FINAL),
}

_PENDING_CHANGE = (S.MODIFY_PENDING, S.CANCEL_PENDING)


def apply_move(order: Snapshot, move: Move) -> Snapshot:
    """Return the order after one of our own moves.

    :raises IllegalTransition: when its state does not allow the move.
    """
    if (order.status, move) not in MOVES:
        raise IllegalTransition(f"{_WORDS[move]} is not possible while the order is {order.status}")
    target = MOVES[order.status, move]
    if target is _BACK:
        target = _settled(order.previous_status or S.OPEN, order.filled_quantity, order.quantity)
        return replace(order, status=target, previous_status=None)
    if target in _PENDING_CHANGE and order.status not in _PENDING_CHANGE:
        return replace(order, status=target, previous_status=order.status)
    return replace(order, status=target)


def apply_report(order: Snapshot, report: Report) -> Snapshot:
    """Merge one report of the broker; merging it again, or in another order, changes nothing."""
    status = _status_of(report)
    filled = max(order.filled_quantity, report.filled_quantity)
    if not _outranks(order, report, status):
        return _with_fill(order, filled)
    key = (report.sequence, report.updated_at)
    merged = replace(order, quantity=report.quantity, report_key=key, is_reported=True)
    if order.status in _PENDING_CHANGE and status not in FINAL:
        return _with_fill(replace(merged, previous_status=status), filled)
    return _with_fill(replace(merged, status=status, previous_status=None), filled)


def apply_fills(order: Snapshot, *, total: int) -> Snapshot:
    """Take in that the order's trades add up to ``total``; never lowers what is filled."""
    if not order.is_reported and order.status not in WORKING:
        order = replace(order, status=S.PLACED)
    return _with_fill(order, max(order.filled_quantity, total))


def end_of_day(order: Snapshot) -> Snapshot:
    """Return a working order as expired: its day is over and the broker's book has dropped it."""
    return replace(order, status=S.EXPIRED, previous_status=None)


def lose_sight(order: Snapshot) -> Snapshot:
    """Return a working order as unknown: the broker had it, and nobody sees what became of it."""
    return replace(order, status=S.UNKNOWN, previous_status=None)


def lose_row(order: Snapshot) -> Snapshot:
    """Return a working order as unknown whose row cannot be read; what was asked of it stays asked.

    A cancel or a change that is on its way goes on, and returns to unknown where it fails.
    """
    if order.status in _PENDING_CHANGE:
        return replace(order, previous_status=S.UNKNOWN)
    return lose_sight(order)


def _status_of(report: Report) -> OrderStatus:
    """Hold a report's word against its own numbers, which are harder to get wrong."""
    if report.filled_quantity >= report.quantity:
        return S.FILLED
    if report.status is BrokerStatus.FILLED:
        return S.PARTIALLY_FILLED if report.filled_quantity else S.OPEN
    return OrderStatus(report.status)


def _outranks(order: Snapshot, report: Report, status: OrderStatus) -> bool:
    """Tell whether the report's status replaces the order's."""
    current_sequence, current_time = order.report_key
    if not order.is_reported or current_time is None:
        # Whatever we concluded alone (unknown, given up, refused) yields to the broker's word.
        return True
    current = order.previous_status or order.status
    if (current in FINAL) != (status in FINAL):
        return status in FINAL
    return (report.sequence, report.updated_at, _RANK[status]) > (
        current_sequence,
        current_time,
        _RANK[current],
    )


_RANK = {
    status: rank
    for rank, status in enumerate(
        (
            S.UNKNOWN,
            S.PLACED,
            S.QUEUED_AMO,
            S.TRIGGER_PENDING,
            S.OPEN,
            S.PARTIALLY_FILLED,
            S.EXPIRED,
            S.REJECTED,
            S.CANCELLED,
            S.FILLED,
        )
    )
}


def _with_fill(order: Snapshot, filled: int) -> Snapshot:
    # More filled than ordered is the broker's truth too: the order was larger than we thought.
    order = replace(order, filled_quantity=filled, quantity=max(order.quantity, filled))
    if order.status in _PENDING_CHANGE and filled < order.quantity:
        previous = _settled(order.previous_status or S.OPEN, filled, order.quantity)
        return replace(order, previous_status=previous)
    status = _settled(order.status, filled, order.quantity)
    return replace(order, status=status, previous_status=None)


def _settled(status: OrderStatus, filled: int, quantity: int) -> OrderStatus:
    """Give the status that the filled quantity makes of a broker's status."""
    if filled >= quantity:
        return S.FILLED
    if filled and status in _CHANGEABLE:
        return S.PARTIALLY_FILLED
    return status


_WORDS = {
    Move.SUBMIT: "Sending",
    Move.DENY: "Refusing",
    Move.WITHDRAW: "Withdrawing",
    Move.EXPIRE: "Expiring",
    Move.ACCEPT: "Accepting",
    Move.REFUSE: "Refusing",
    Move.LOSE: "Losing track of it",
    Move.GIVE_UP: "Giving up",
    Move.CALL_ENDED: "Settling it by hand",
    Move.ASK_MODIFY: "A change",
    Move.MODIFY_DONE: "Settling a change",
    Move.MODIFY_REFUSED: "Settling a change",
    Move.ASK_CANCEL: "A cancel",
    Move.CANCEL_REFUSED: "Settling a cancel",
}
