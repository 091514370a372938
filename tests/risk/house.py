"""A workspace with an account of each kind of money, for tests of its rules."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side
from operations.ids import new_id
from orders.models import Order
from portfolio.models import TradingSession
from risk.models import RiskRule, RuleType, Trading
from risk.proposal import Proposal, Verdict
from risk.selectors import effective_state, entries_blocked
from risk.services import (
    evaluate_account,
    judge,
)
from tests.builders import NOW, make_account, make_instrument, make_user, make_workspace

DAY = date(2026, 6, 17)
KINDS = ("paper", "live", "dollars", "replay")


class House:
    """One workspace with an account of each kind of money, each with a day begun."""

    def __init__(self) -> None:
        self.user, self.seconds = make_user(), 0
        self.workspace = make_workspace(self.user)
        self.instrument = make_instrument()
        self.accounts = {name: make_account(self.workspace, name) for name in KINDS}
        self._set("live", live_enabled=True)
        self._set("dollars", currency="USD")
        self._set("replay", own_clock=True)
        connection = self.accounts["live"].connection
        connection.paper_trading = False
        connection.save()
        for account in self.accounts.values():
            self.earn(account, "0")

    @property
    def account(self) -> TradingAccount:
        return self.accounts["paper"]

    def _set(self, name: str, **fields: object) -> None:
        for field, value in fields.items():
            setattr(self.accounts[name], field, value)
        self.accounts[name].save()

    def earn(self, account: TradingAccount, pnl: str) -> None:
        TradingSession.objects.update_or_create(
            account=account,
            session_date=DAY,
            defaults={
                "workspace": self.workspace,
                "user": self.user,
                "start_time": NOW,
                "capital_at_start": Decimal(100_000),
                "total_pnl": Decimal(pnl),
            },
        )

    def evaluate(self, name: str, *, times: int = 1, days: int = 0) -> None:
        for _ in range(times):
            self.seconds += 1
            now = NOW + timedelta(days=days, seconds=self.seconds)
            evaluate_account(self.accounts[name], now=now)

    def lose(self, name: str, amount: str = "5000") -> None:
        self.earn(self.accounts[name], f"-{amount}")
        self.evaluate(name, times=3)

    def judge(self, name: str, quantity: int = 1) -> Verdict:
        with transaction.atomic():
            return judge(self.proposal(self.accounts[name], quantity), now=NOW)

    def proposal(self, account: TradingAccount, quantity: int) -> Proposal:
        return Proposal(
            order_id=new_id(),
            account=account,
            instrument=self.instrument,
            user_strategy_id=None,
            side=Side.BUY,
            product=Product.MIS,
            order_type=OrderType.MARKET,
            quantity=quantity,
            reference_price=Decimal(100),
            margin=Decimal(1),
            available=Decimal(1_000_000),
            available_as_of=NOW,
            session_date=DAY,
        )

    def limit(self, kind: RuleType, value: str, **scope: object) -> RiskRule:
        return RiskRule.objects.create(
            workspace=self.workspace,
            user=self.user,
            rule_type=kind,
            rule_value=Decimal(value),
            **scope,
        )

    def states(self) -> dict[str, Trading]:
        return {name: effective_state(each) for name, each in self.accounts.items()}

    def stopped(self) -> set[str]:
        return {name for name, state in self.states().items() if state is not Trading.ACTIVE}

    def claimable(self) -> set[str]:
        """The accounts whose entries the claim's own statement lets go."""
        free = Order.objects.filter(~entries_blocked())
        return set(free.values_list("account__name", flat=True))
