"""Value what an account holds at the last prices, and follow the day's gain."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from brokers.models import TradingAccount
from market.quotes import QuoteView, quotes_of
from portfolio.models import Holding, Position, PositionStatus, PositionType, TradingSession
from portfolio.services.positions import mark
from portfolio.services.sessions import Gain, add_to_session, lock_account, start_session
from portfolio.trading_days import day_of_marks

NOTHING = Decimal(0)
_MARKED = ("last_price", "close_price", "unrealized_pnl", "marked_at")


def mark_account(account: TradingAccount, *, now: datetime) -> TradingSession | None:
    """Bring the account's open positions to the last prices and its session up to date.

    A position without a price keeps its last mark. None when nothing is open.
    """
    if not Position.objects.open().filter(account=account).exists():
        return None
    with transaction.atomic():
        return _mark_open(lock_account(account), now=now)


@transaction.atomic
def mark_holdings(account: TradingAccount, *, now: datetime) -> int:
    """Bring the account's holdings to the last prices; return how many changed."""
    account = lock_account(account)
    held = Holding.objects.filter(account=account, total_quantity__gt=0)
    holdings = list(held.select_related("instrument"))
    quotes = quotes_of({holding.instrument.key for holding in holdings})
    moved = []
    for holding in holdings:
        quote = quotes.get(holding.instrument.key)
        if quote is not None and quote.ltp != holding.last_price:
            holding.last_price = quote.ltp
            holding.as_of = now
            moved.append(holding)
    Holding.objects.bulk_update(moved, ["last_price", "as_of"])
    return len(moved)


def _mark_open(account: TradingAccount, *, now: datetime) -> TradingSession | None:
    net = list(Position.objects.open().filter(account=account).select_related("instrument"))
    if not net:
        return None
    day = day_of_marks({position.instrument.exchange for position in net}, now)
    # Before the first mark of the day, so that it begins with what yesterday ended with.
    session = start_session(account, session_date=day, now=now)
    quotes = quotes_of({position.instrument.key for position in net})
    _mark_positions([*net, *_traded_on(account, day)], quotes)
    unrealized = sum((position.unrealized_pnl for position in net), NOTHING)
    add_to_session(session, Gain(unrealized), now=now)
    return session


def _traded_on(account: TradingAccount, day: date) -> Iterable[Position]:
    return Position.objects.filter(
        account=account,
        position_type=PositionType.DAY,
        status=PositionStatus.OPEN,
        session_date=day,
    ).select_related("instrument")


def _mark_positions(positions: Sequence[Position], quotes: Mapping[str, QuoteView]) -> None:
    marked = []
    for position in positions:
        quote = quotes.get(position.instrument.key)
        if quote is None:
            continue
        before = (position.last_price, position.marked_at)
        mark(position, price=quote.ltp, at=quote.as_of)
        if (position.last_price, position.marked_at) != before:
            position.close_price = quote.previous_close
            marked.append(position)
    # The rows are there, and the account is locked: an upsert is an update of many rows at once,
    # at a small part of the price of bulk_update.
    Position.objects.bulk_create(
        marked, update_conflicts=True, unique_fields=["id"], update_fields=_MARKED
    )
