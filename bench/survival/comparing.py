"""This house against the simulator, row by row, once both stand still."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from bench.survival.desk import Desk
from bench.survival.load import Asked
from brokers.models import TradingAccount
from orders.models import Order, OrderSource, ParkedReport, Trade
from orders.states import OrderStatus
from portfolio.models import Position

Row = Mapping[str, Any]
_SAME_STATE = {
    "OPEN": OrderStatus.OPEN,
    "PARTIAL": OrderStatus.PARTIALLY_FILLED,
    "COMPLETE": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
}
# What an order of ours may be that the broker never had; cancelled is one that was not sent yet.
_NEVER_ARRIVED = (
    OrderStatus.DENIED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
    OrderStatus.CANCELLED,
)
_NUMBERS = ("trade_id", "exchange_trade_id")
_AT_BROKER_ONLY = (OrderSource.EXTERNAL, OrderSource.ADJUSTMENT)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: how much was looked at, and each case where it does not."""

    name: str
    looked_at: int
    differing: tuple[str, ...]


def compare(desk: Desk, asked: Asked, simulator: str) -> list[Check]:
    """Return every check over all accounts together."""
    state = requests.get(f"{simulator}/_sim/state", timeout=60).json()["clients"]
    checks = [_answers(asked), _keys(asked), _nothing_waits()]
    found: dict[str, list[Check]] = defaultdict(list)
    for account in desk.accounts:
        theirs = state[client_of(account, state)]
        for check in _account(account, theirs):
            found[check.name].append(check)
    for name, parts in found.items():
        differing = tuple(words for part in parts for words in part.differing)
        checks.append(Check(name, sum(part.looked_at for part in parts), differing))
    return checks


def client_of(account: TradingAccount, state: Mapping[str, Row]) -> str:
    """Return the simulator's name of an account; Alpaca's own has no code to tell."""
    account.connection.refresh_from_db()
    code = account.connection.client_code or account.name
    return code if code in state else next(iter(state))


def _answers(asked: Asked) -> Check:
    """A trial whose orders never got through proves nothing."""
    wrong = [
        f"{key}: {asked.answered.get(key, 'never pressed')}"
        for key in asked.keys
        if asked.answered.get(key, "no answer") == "no answer"
    ]
    return Check("every order asked for, answered in the end", len(asked.keys), tuple(wrong))


def _keys(asked: Asked) -> Check:
    """Each order asked for is written once at most, and every one that was answered is there."""
    written = Counter(Order.objects.values_list("idempotency_key", flat=True))
    wrong = [
        f"{key}: written {written[str(key)]} times" for key in asked.keys if written[str(key)] > 1
    ]
    wrong += [
        f"{key}: answered with {place}, and not written"
        for key, place in asked.answered.items()
        if place.startswith("/orders/") and not written[str(key)]
    ]
    return Check("every order asked for, written once", len(asked.keys), tuple(wrong))


def _nothing_waits() -> Check:
    parked = [f"trade {each.trade_id} waits for its order" for each in ParkedReport.objects.all()]
    waiting = Order.objects.filter(status__in=WAITING)
    words = [f"{each.tag} is {each.status} still" for each in waiting]
    return Check("nothing is left unsettled", Order.objects.count(), tuple(parked + words))


WAITING = (
    OrderStatus.PENDING,
    OrderStatus.SUBMITTING,
    OrderStatus.UNKNOWN,
    OrderStatus.PLACED,
    OrderStatus.MODIFY_PENDING,
    OrderStatus.CANCEL_PENDING,
)


def _account(account: TradingAccount, theirs: Row) -> Iterator[Check]:
    ours = {each.tag: each for each in Order.objects.filter(account=account)}
    yield _doubles(theirs["orders"])
    yield _strangers(ours, theirs["orders"])
    yield _states(ours, theirs["orders"])
    yield _never_there(ours, theirs["orders"])
    yield _trades(account, theirs)
    yield _positions(account, theirs)


def _doubles(book: Sequence[Row]) -> Check:
    tagged = Counter(each["tag"] for each in book)
    twice = tuple(f"{tag}: {count} orders" for tag, count in tagged.items() if count > 1)
    return Check("at most one order at the broker for each tag", len(book), twice)


def _strangers(ours: Mapping[str, Order], book: Sequence[Row]) -> Check:
    adopted = [
        f"{each.tag} is {each.source}: {each.broker_order_id}"
        for each in ours.values()
        if each.source in _AT_BROKER_ONLY
    ]
    unknown = [
        f"{each['order_id']} ({each['tag']}) is not known here"
        for each in book
        if each["tag"] not in ours
    ]
    return Check("every order at the broker is known as ours", len(book), (*adopted, *unknown))


def _states(ours: Mapping[str, Order], book: Sequence[Row]) -> Check:
    pairs = [(ours[each["tag"]], each) for each in book if each["tag"] in ours]
    wrong = tuple(words for mine, other in pairs for words in _differences(mine, other))
    return Check("and in the same state, filled as much", len(pairs), wrong)


def _never_there(ours: Mapping[str, Order], book: Sequence[Row]) -> Check:
    tagged = {each["tag"] for each in book}
    missing = [each for tag, each in ours.items() if tag not in tagged]
    claimed = tuple(
        f"{each.tag} is {each.status} here, {each.filled_quantity} filled, and not at the broker"
        for each in missing
        if each.status not in _NEVER_ARRIVED or each.filled_quantity or each.broker_order_id
    )
    return Check("what never reached the broker has ended here", len(missing), claimed)


def _differences(mine: Order, theirs: Row) -> Iterator[str]:
    state = _SAME_STATE.get(theirs["state"])
    if mine.status != state:
        yield f"{mine.tag} is {mine.status} here, {theirs['state']} at the broker"
    if mine.filled_quantity != theirs["filled_quantity"]:
        yield f"{mine.tag}: {mine.filled_quantity} filled here, {theirs['filled_quantity']} there"
    if mine.traded_quantity != mine.filled_quantity:
        yield f"{mine.tag}: {mine.filled_quantity} filled, {mine.traded_quantity} in its trades"


def _trades(account: TradingAccount, theirs: Row) -> Check:
    """Compare each fill by its order, quantity, price and the exchange's number."""
    ours = list(Trade.objects.filter(account=account).select_related("order"))
    here = Counter((each.order.tag, Decimal(each.quantity), each.price) for each in ours)
    there = _fills(theirs)
    known = {each[name] for each in theirs["trades"] for name in _NUMBERS} | {""}
    strange = [each.exchange_trade_id for each in ours if each.exchange_trade_id not in known]
    wrong = (
        *(f"trade {number} is not at the broker" for number in strange),
        *(f"{each}: only here" for each in (here - there).elements()),
        *(f"{each}: only at the broker" for each in (there - here).elements()),
    )
    return Check("the same trades", len(theirs["trades"]), wrong)


def _fills(theirs: Row) -> Counter[tuple[str, Decimal, Decimal]]:
    tags = {each["order_id"]: each["tag"] for each in theirs["orders"]}
    return Counter(
        (tags[each["order_id"]], Decimal(str(each["quantity"])), Decimal(each["price"]))
        for each in theirs["trades"]
    )


def _positions(account: TradingAccount, theirs: Row) -> Check:
    there: Counter[tuple[str, str]] = Counter()
    for each in theirs["positions"]:
        instrument = each["instrument"]
        key = (f"{instrument['exchange']}:{instrument['symbol']}", each["product"])
        there[key] += each["quantity"]
    here: Counter[tuple[str, str]] = Counter()
    open_ones = Position.objects.filter(account=account).open()
    for name, product, quantity in open_ones.values_list("instrument__key", "product", "quantity"):
        here[name, product] += quantity
    wrong = tuple(
        f"{account.name} {' '.join(key)}: {here[key]} here, {there[key]} at the broker"
        for key in sorted(here.keys() | there.keys())
        if here[key] != there[key]
    )
    return Check("the same positions", len(here.keys() | there.keys()), wrong)
