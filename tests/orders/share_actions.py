"""A share held for delivery over the ex-date of a recorded action."""

from datetime import UTC, date, datetime
from decimal import Decimal

from django.core.management import call_command

from brokers.gateway import QuoteTick
from brokers.terms import Product, Side
from market.models import CorporateActionKind
from market.quotes import write_quotes
from market.services import record_corporate_action
from orders.services.ex_dates import follow_actions
from portfolio.models import Position
from portfolio.services import mark_account, mark_holdings
from tests.orders.desk import Desk

EX_DATE = date(2026, 6, 18)  # the day after the desk's
MIDNIGHT = datetime(2026, 6, 17, 18, 31, tzinfo=UTC)
EX_MORNING = datetime(2026, 6, 18, 4, 30, tzinfo=UTC)
CREDITED = datetime(2026, 6, 22, 4, 30, tzinfo=UTC)  # two trading days on, past a weekend
BONUS, SPLIT = CorporateActionKind.BONUS, CorporateActionKind.SPLIT


def held(desk: Desk, quantity: int = 100, price: str = "100.00") -> Desk:
    desk.send(desk.place(Side.BUY, quantity, product=Product.CNC))
    desk.trade(price)
    desk.trade(price)
    return desk


def record(desk: Desk, kind: CorporateActionKind = BONUS, factor: str = "2") -> None:
    record_corporate_action(desk.instrument, kind=kind, ex_date=EX_DATE, factor=Decimal(factor))


def follow(desk: Desk, at: datetime = MIDNIGHT) -> int:
    desk.now = at
    return follow_actions(now=at)


def ticks(desk: Desk, price: str) -> None:
    desk.now = max(desk.now, EX_MORNING)
    write_quotes([QuoteTick(desk.instrument.key, Decimal(price), desk.now, 1000)])
    mark_account(desk.account, now=desk.now)
    mark_holdings(desk.account, now=desk.now)


def position(desk: Desk) -> Position:
    return desk.account.positions.open().get()


def is_proven() -> None:
    call_command("rebuild_books", "--check")
