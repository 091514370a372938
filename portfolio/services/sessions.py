"""An account's trading day: what it began with, what it made, how far it fell from its best."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum

from brokers.models import TradingAccount
from operations.events import publish
from portfolio.models import EquityPoint, Position, SessionStatus, TradingSession
from portfolio.services.holdings import settle_holdings
from portfolio.valuation import capital_of

NOTHING = Decimal(0)
_FIGURES = (
    "realized_pnl",
    "charges",
    "uncharged_fills",
    "unrealized_pnl",
    "total_pnl",
    "peak_pnl",
    "max_drawdown",
    "capital_at_end",
    "marked_at",
    "updated_at",
)


def lock_account(account: TradingAccount) -> TradingAccount:
    """Take the lock under which an account's books change; always the first lock taken."""
    accounts = TradingAccount.objects.select_for_update(of=("self",), no_key=True)
    return accounts.select_related("connection").get(pk=account.pk)


def hold_account(account: TradingAccount) -> None:
    """Take the same lock without reading the row again."""
    held = TradingAccount.objects.select_for_update(no_key=True).filter(pk=account.pk)
    held.values_list("pk").get()


def start_session(account: TradingAccount, *, session_date: date, now: datetime) -> TradingSession:
    """Return the account's session of that day, begun now if it has none yet."""
    session = TradingSession.objects.filter(account=account, session_date=session_date).first()
    return session or _begin_session(account, session_date=session_date, now=now)


@transaction.atomic
def _begin_session(account: TradingAccount, *, session_date: date, now: datetime) -> TradingSession:
    account = lock_account(account)
    settle_holdings(account, now=now)
    carried = open_unrealized(account)
    session, _ = TradingSession.objects.get_or_create(
        account=account,
        session_date=session_date,
        defaults={
            "workspace_id": account.workspace_id,
            "user_id": account.connection.user_id,
            "start_time": now,
            "capital_at_start": capital_of(account),
            "opening_unrealized": carried,
            "unrealized_pnl": carried,
        },
    )
    return session


@transaction.atomic
def count_order(
    account: TradingAccount, *, session_date: date, successful: bool | None, now: datetime
) -> None:
    """Count an order of the day: None when it is written, True once it has traded."""
    counted = TradingSession.objects.filter(account=account, session_date=session_date)
    figure = "total_orders" if successful is None else "successful_orders"
    step = int(successful is not False)
    if not counted.update(**{figure: F(figure) + step}):
        start_session(account, session_date=session_date, now=now)
        counted.update(**{figure: F(figure) + step})


@transaction.atomic
def close_session(
    account: TradingAccount, *, session_date: date, now: datetime
) -> TradingSession | None:
    """End the account's day and note its capital; None when there is no such day to end."""
    account = lock_account(account)
    session = TradingSession.objects.filter(
        account=account, session_date=session_date, status=SessionStatus.ACTIVE
    ).first()
    if session is None:
        return None
    session.status = SessionStatus.COMPLETED
    session.end_time = now
    session.capital_at_end = capital_of(account)
    session.save(update_fields=["status", "end_time", "capital_at_end", "updated_at"])
    publish("positions", workspace_id=account.workspace_id, subject_id=session.pk, now=now)
    return session


@dataclass(frozen=True, slots=True)
class Gain:
    """What an account has open is worth, and what a trade has just added."""

    unrealized: Decimal
    realized: Decimal = NOTHING
    charges: Decimal = NOTHING
    uncharged_fills: int = 0


def add_to_session(
    session: TradingSession, gain: Gain, *, now: datetime, is_trade: bool = False
) -> None:
    """Bring a session's figures and its curve up to date; the caller holds the account's lock."""
    take_gain(session, gain)
    save_session(session, now=now, is_trade=is_trade)


def take_gain(session: TradingSession, gain: Gain) -> None:
    """Bring a session's figures up to date; the caller saves it."""
    before = session.total_pnl
    session.realized_pnl += gain.realized
    session.charges += gain.charges
    session.uncharged_fills += gain.uncharged_fills
    session.unrealized_pnl = gain.unrealized
    session.total_pnl = session.net_pnl
    session.peak_pnl = max(session.peak_pnl, session.total_pnl)
    session.max_drawdown = max(session.max_drawdown, session.peak_pnl - session.total_pnl)
    if session.capital_at_end is not None:  # a late fill of a day that has ended
        session.capital_at_end += session.total_pnl - before


def save_session(session: TradingSession, *, now: datetime, is_trade: bool) -> None:
    """Save a session's figures and the point of its curve."""
    _note_equity(session, now=now, is_trade=is_trade)
    session.marked_at = now
    session.save(update_fields=_FIGURES)


def _note_equity(session: TradingSession, *, now: datetime, is_trade: bool) -> None:
    """Keep the day's curve: a point for each minute, moved within it by trades only."""
    minute = now.replace(second=0, microsecond=0)
    if not is_trade and session.marked_at is not None and session.marked_at >= minute:
        return
    point = EquityPoint(
        account_id=session.account_id,
        session_date=session.session_date,
        at=minute,
        net_pnl=session.total_pnl,
    )
    EquityPoint.objects.bulk_create(
        [point],
        update_conflicts=True,
        unique_fields=["account", "session_date", "at"],
        update_fields=["net_pnl"],
    )


def unrealized_in(session: TradingSession) -> Decimal:
    """Return what the open positions have gained for the session: a day that has ended keeps its
    own closing figure, whatever they have come to be worth since."""
    if session.status == SessionStatus.COMPLETED:
        return session.unrealized_pnl
    return open_unrealized(session.account)


def carry_into_later(session: TradingSession, gained: Decimal) -> None:
    """Let the days after it begin with what a late fill of an ended day has opened."""
    if session.status == SessionStatus.COMPLETED and gained:
        TradingSession.objects.filter(
            account_id=session.account_id, session_date__gt=session.session_date
        ).update(
            opening_unrealized=F("opening_unrealized") + gained,
            unrealized_pnl=F("unrealized_pnl") + gained,
        )


def open_unrealized(account: TradingAccount) -> Decimal:
    """Return what the account's open positions have gained, at the last marks."""
    total = Position.objects.open().filter(account=account).aggregate(sum=Sum("unrealized_pnl"))
    amount: Decimal | None = total["sum"]
    return NOTHING if amount is None else amount
