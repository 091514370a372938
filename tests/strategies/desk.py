"""A desk with one strategy switched on, and the candles it looks at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import User
from brokers.adapters.paper.exchange import advance, match
from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from brokers.terms import Product
from market.bars import Bar
from market.models import Instrument, Interval
from market.quotes import write_quotes
from market.store import write_candles
from orders.models import EventSource
from orders.services.reconciling import reconcile_account
from orders.services.reporting import apply_updates
from portfolio.models import Position, PositionSide
from strategies.models import Strategy, UserStrategy
from tests.builders import make_account, make_instrument, make_user, make_workspace
from tests.strategies.bars import FIVE_MINUTES, OPENING, bars_closing_at

# Buys above 100, sells below 90.
IN_RUPEES = {"measure": "price", "buy_threshold": "100", "sell_threshold": "90"}
FIRST_CLOSE = OPENING + FIVE_MINUTES


def make_strategy(slug: str = "threshold", **fields: object) -> Strategy:
    return Strategy.objects.create(
        slug=slug,
        **{
            "name": slug.title(),
            "description": "For a test",
            "category": "Test",
            "algorithm": "price_threshold",
            "risk_level": "Low",
            "parameters": IN_RUPEES,
            **fields,
        },
    )


def make_activation(
    *instruments: Instrument,
    account: TradingAccount | None = None,
    user: User | None = None,
    strategy: Strategy | None = None,
    **fields: object,
) -> UserStrategy:
    """₹10,000 on five-minute candles, since long before the first of them."""
    user = user or (account.workspace.owner if account else make_user())
    account = account or make_account(make_workspace(user))
    activation = UserStrategy.objects.create(
        **{
            "workspace": account.workspace,
            "user": user,
            "strategy": strategy or make_strategy(),
            "account": account,
            "interval": Interval.M5,
            "product": Product.MIS,
            "allocation_amount": Decimal(10_000),
            "activated_at": OPENING - timedelta(days=1),
            **fields,
        }
    )
    activation.instruments.set(instruments or [make_instrument()])
    return activation


def store(instrument: Instrument, *closes: str | int, start: datetime = OPENING) -> Sequence[Bar]:
    """Five-minute candles that close at these prices."""
    bars = bars_closing_at(*closes, start=start)
    write_candles(instrument, Interval.M5, bars)
    return bars


def hold(activation: UserStrategy, instrument: Instrument, quantity: int) -> Position:
    """The position that the activation holds; short when negative."""
    return Position.objects.create(
        workspace=activation.workspace,
        user=activation.user,
        account=activation.account,
        instrument=instrument,
        product=activation.product,
        user_strategy=activation,
        session_date=OPENING.date(),
        side=PositionSide.LONG if quantity > 0 else PositionSide.SHORT,
        quantity=quantity,
        open_cost=Decimal(100) * quantity,
        opened_at=OPENING,
    )


def only_instrument(activation: UserStrategy) -> Instrument:
    return activation.instruments.get()


def make_paper_account(
    *, cash: str = "1000000", now: datetime = FIRST_CLOSE, user: User | None = None
) -> TradingAccount:
    """An account with money at the paper broker, compared with it once."""
    user = user or make_user()
    account = open_paper_account(
        make_workspace(user), user=user, name="Practice", cash=Decimal(cash), now=now
    )
    reconcile_account(account, clock=lambda: now)
    return account


def trade_at(account: TradingAccount, instrument: Instrument, price: str, now: datetime) -> None:
    """Let the market trade once, and hear what the broker says of it."""
    ticks = [QuoteTick(instrument.key, Decimal(price), now, 100_000)]
    write_quotes(ticks)
    for update in [*advance(at=now), *match(ticks, at=now)]:
        apply_updates(
            account,
            orders=update.orders,
            trades=update.trades,
            source=EventSource.WEBSOCKET,
            now=now,
        )
