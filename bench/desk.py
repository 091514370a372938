"""A desk to measure on: a person, an account at the paper broker, the demo's rules and market."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from accounts.services import create_workspace
from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from brokers.terms import InstrumentType
from market.demo import ensure_demo_instruments
from market.feeds import TickBatch
from market.feeds.universe import SHARES
from market.models import Instrument
from orders.services.reconciling import reconcile_account
from risk.services import add_rule
from risk.services.limits import RuleTerms
from trading_site.demo_desk import RULES
from trading_site.live import MarketPipeline

CASH = Decimal(100_000_000)


@dataclass(frozen=True, slots=True)
class Desk:
    user: User
    account: TradingAccount
    shares: tuple[Instrument, ...]


def open_desk(name: str) -> Desk:
    """Open an account with plenty of money, on the exchange that is open at any hour."""
    now = timezone.now()
    user = User.objects.create(username=name, email=f"{name}@example.com")
    workspace = create_workspace(user, name=name)
    for rule_type, value in RULES:
        add_rule(workspace, RuleTerms(rule_type, value), by=user, now=now)
    account = open_paper_account(workspace, user=user, name="Practice", cash=CASH, now=now)
    reconcile_account(account, clock=timezone.now)
    instruments = ensure_demo_instruments()
    return Desk(
        user, account, tuple(i for i in instruments if i.instrument_type == InstrumentType.EQ)
    )


def quote_shares(pipeline: MarketPipeline) -> None:
    """Let every share trade once, and what waits for it be filled, booked and valued."""
    now = timezone.now()
    ticks = (QuoteTick(each.key, each.price, now, volume=100_000) for each in SHARES)
    pipeline.process(TickBatch(now, tuple(ticks)))
