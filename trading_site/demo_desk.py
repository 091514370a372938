"""A desk to try everything on: made-up money on a made-up market, on a laptop only."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from accounts.models import User, Workspace
from accounts.services import ensure_workspace
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.services import open_paper_account
from brokers.terms import InstrumentType
from market.demo import backfill_history, ensure_demo_instruments
from market.feeds import SimulatedExchange
from market.models import Instrument, Interval, Watchlist
from market.watching import add_to_watchlist, create_watchlist
from orders.services.reconciling import reconcile_account
from risk.models import RiskRule, RuleType
from risk.services import add_rule
from risk.services.limits import RuleTerms
from strategies.models import Strategy, UserStrategy
from strategies.services.activating import activate_strategy
from strategies.validation import ActivationRequest

USERNAME, PASSWORD = "demo", "demo-pinnacle"  # shown at start, on a laptop only
ACCOUNT_NAME = "Practice"
CASH = Decimal("1000000")
HISTORY_DAYS = 3


@dataclass(frozen=True, slots=True)
class DemoStrategy:
    """An activation lively enough to trade within minutes."""

    slug: str
    symbols: tuple[str, ...]
    allocation: Decimal
    parameters: dict[str, object]


STRATEGIES = (
    DemoStrategy(
        "price_breakout",
        ("RELIANCE", "ICICIBANK", "SBIN", "TATASTEEL", "AXISBANK", "LT"),
        Decimal("240000"),
        {"entry_bars": 6, "exit_bars": 3, "allow_short": True},
    ),
    DemoStrategy(
        "price_threshold",
        ("TCS", "INFY", "HDFCBANK", "ITC"),
        Decimal("160000"),
        {"measure": "percent", "buy_threshold": "0.3", "sell_threshold": "-0.3"},
    ),
    DemoStrategy(
        "rsi_dmi",
        ("BHARTIARTL", "KOTAKBANK", "MARUTI", "SUNPHARMA", "HINDUNILVR"),
        Decimal("200000"),
        {"rsi_oversold": "42", "rsi_overbought": "62", "adx_minimum": "12"},
    ),
)
RULES = (
    (RuleType.MAX_DAILY_LOSS, Decimal("50000")),
    (RuleType.MAX_DRAWDOWN, Decimal("8")),
    (RuleType.MAX_POSITION_SIZE, Decimal("300000")),
    (RuleType.MAX_ORDERS_PER_DAY, Decimal("5000")),
)


class DemoRefused(Exception):
    """This house serves others: a user with a known password has no place in it."""


def set_up_demo(clock: Clock) -> User:
    """Make the demo's person, desk, account, history and strategies; what is there stays.

    :raises DemoRefused: on a server, that is with TLS or Redis.
    """
    if settings.REDIS_URL or settings.HTTPS:
        raise DemoRefused("The demo desk is for a laptop: HTTPS=off and no REDIS_URL")
    instruments = ensure_demo_instruments()
    backfill_history(SimulatedExchange(), days=HISTORY_DAYS, now=clock())
    user, workspace = _person()
    account = _account(workspace, user, clock)
    _watchlist(workspace, user, instruments)
    _rules(workspace, user, now=clock())
    shares = [each for each in instruments if each.instrument_type == InstrumentType.EQ]
    for demo in STRATEGIES:
        _activate(demo, account, user, shares, now=clock())
    return user


@transaction.atomic
def _person() -> tuple[User, Workspace]:
    user = User.objects.filter(username=USERNAME).first()
    if user is None:
        user = User.objects.create_user(
            username=USERNAME, email="demo@example.com", password=PASSWORD, first_name="Demo"
        )
    if not user.is_staff:  # who runs the laptop runs the house
        user.is_staff = True
        user.save(update_fields=["is_staff", "updated_at"])
    return user, ensure_workspace(user)


def _account(workspace: Workspace, user: User, clock: Clock) -> TradingAccount:
    account = TradingAccount.objects.filter(workspace=workspace, name=ACCOUNT_NAME).first()
    if account is None:
        account = open_paper_account(
            workspace, user=user, name=ACCOUNT_NAME, cash=CASH, now=clock()
        )
        reconcile_account(account, clock=clock)
    return account


def _watchlist(workspace: Workspace, user: User, instruments: list[Instrument]) -> None:
    if Watchlist.objects.filter(workspace=workspace, user=user).exists():
        return
    watchlist = create_watchlist(workspace, user=user, name="Simulated")
    for instrument in instruments:
        add_to_watchlist(watchlist, instrument=instrument)


def _rules(workspace: Workspace, user: User, *, now: datetime) -> None:
    if RiskRule.objects.filter(workspace=workspace).exists():
        return
    for rule_type, value in RULES:
        add_rule(workspace, RuleTerms(rule_type, value), by=user, now=now)


def _activate(
    demo: DemoStrategy,
    account: TradingAccount,
    user: User,
    shares: list[Instrument],
    *,
    now: datetime,
) -> None:
    """Switch one on, unless the person has ever had it and perhaps stopped it."""
    strategy = Strategy.objects.get(slug=demo.slug)
    if UserStrategy.objects.filter(account=account, strategy=strategy).exists():
        return
    request = ActivationRequest(
        strategy=strategy,
        account=account,
        allocation=demo.allocation,
        instruments=tuple(each for each in shares if each.trading_symbol in demo.symbols),
        interval=Interval.M1,
        custom_parameters=demo.parameters,
    )
    activate_strategy(request, user=user, now=now)
