"""Value what an account holds at the last prices, and follow the day's gain."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from brokers.models import TradingAccount
from market.ex_dates import in_old_shares
from market.quotes import QuoteView, quotes_of
from portfolio.models import Holding, Position, PositionStatus, PositionType, TradingSession
from portfolio.services.positions import mark
from portfolio.services.sessions import (
    Gain,
    add_to_session,
    hold_account,
    lock_account,
    start_session,
)
from portfolio.trading_days import day_of_marks

NOTHING = Decimal(0)
# No exchange has ever rested longer between two of its days.
_LONGEST_BREAK = timedelta(days=30)
_MARKED = ("last_price", "close_price", "unrealized_pnl", "marked_at")


@transaction.atomic
def mark_account(account: TradingAccount, *, now: datetime) -> TradingSession | None:
    """Bring the account's open positions to the last prices and its session up to date.

    A position without a price keeps its last mark. None when nothing is open.
    """
    hold_account(account)
    return _mark_open(account, now=now)


@transaction.atomic
def mark_holdings(account: TradingAccount, *, now: datetime) -> int:
    """Bring the account's holdings to the last prices; return how many changed."""
    account = lock_account(account)
    held = Holding.objects.filter(account=account, total_quantity__gt=0)
    holdings = list(held.select_related("instrument"))
    quotes = _quotes({holding.instrument.key for holding in holdings}, now=now)
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
    positions = list(_open_positions(account, now=now))
    net = [each for each in positions if each.position_type == PositionType.NET]
    if not net:
        return None
    day = day_of_marks({position.instrument.exchange for position in net}, now)
    # Before the first mark of the day, so that it begins with what yesterday ended with.
    session = start_session(account, session_date=day, now=now)
    quotes = _quotes({position.instrument.key for position in net}, now=now)
    _mark_positions([*net, *(each for each in positions if _is_of_day(each, day))], quotes)
    unrealized = sum((position.unrealized_pnl for position in net), NOTHING)
    add_to_session(session, Gain(unrealized), now=now)
    return session


def _open_positions(account: TradingAccount, *, now: datetime) -> Iterable[Position]:
    """Return what is open, with the rows of every day that marks of this moment may belong to."""
    recent = Q(session_date__gte=now.date() - _LONGEST_BREAK)
    return Position.objects.filter(
        Q(position_type=PositionType.NET) | recent, account=account, status=PositionStatus.OPEN
    ).select_related("instrument")


def _is_of_day(position: Position, day: date) -> bool:
    return position.position_type == PositionType.DAY and position.session_date == day


def _quotes(keys: set[str], *, now: datetime) -> dict[str, QuoteView]:
    """Read the quotes, but not those in new shares of what is held in old ones."""
    return quotes_of(keys - in_old_shares(now))


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
