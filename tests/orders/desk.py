"""A trader's desk for order tests: an account with money at the paper broker, and a market."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import User
from brokers.adapters.paper.exchange import advance, match
from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.services import open_paper_account
from brokers.terms import OrderType, Product, Side, Validity
from market.models import Instrument
from market.quotes import write_quotes
from orders.models import EventSource, Order
from orders.requests import OrderRequest
from orders.services.advancing import advance_in_turn, waiting_orders
from orders.services.commanding import advance_order
from orders.services.placing import place_order
from orders.services.reporting import apply_updates
from orders.services.settling import accounts_to_settle, settle_account
from tests.builders import NOW, make_instrument, make_user, make_workspace


@dataclass
class Desk:
    user: User
    account: TradingAccount
    instrument: Instrument
    now: datetime = NOW
    placed: int = field(default=0)

    def clock(self) -> datetime:
        return self.now

    def place(
        self,
        side: Side = Side.BUY,
        quantity: int = 10,
        *,
        limit: str | None = None,
        trigger: str | None = None,
        key: str | None = None,
        product: Product = Product.MIS,
        validity: Validity = Validity.DAY,
    ) -> Order:
        self.placed += 1
        request = OrderRequest(
            account=self.account,
            instrument=self.instrument,
            side=side,
            quantity=quantity,
            order_type=_kind(limit, trigger),
            product=product,
            validity=validity,
            price=Decimal(limit) if limit else None,
            trigger_price=Decimal(trigger) if trigger else None,
        )
        key = key or f"order {self.placed}"
        return place_order(request, user=self.user, idempotency_key=key, now=self.now)

    def send(self, order: Order) -> Order:
        """Do what the order waits for, as a worker does when nudged."""
        advance_order(order.pk, clock=self.clock)
        order.refresh_from_db()
        return order

    def trade(self, price: str, *, volume: int = 100_000, after: int = 1) -> None:
        """Let the market trade at a price some seconds later, and hear what the broker says."""
        self.now += timedelta(seconds=after)
        ticks = [QuoteTick(self.instrument.key, Decimal(price), self.now, volume)]
        write_quotes(ticks)
        for update in [*advance(at=self.now), *match(ticks, at=self.now)]:
            apply_updates(
                self.account,
                orders=update.orders,
                trades=update.trades,
                source=EventSource.WEBSOCKET,
                now=self.now,
            )

    def buy(self, quantity: int = 10, price: str = "100.00") -> Order:
        """Buy at the market, filled."""
        order = self.send(self.place(Side.BUY, quantity))
        self.trade(price)
        self.trade(price)
        order.refresh_from_db()
        return order


def _kind(limit: str | None, trigger: str | None) -> OrderType:
    if trigger:
        return OrderType.SL if limit else OrderType.SL_M
    return OrderType.LIMIT if limit else OrderType.MARKET


def make_desk(
    username: str = "asha",
    *,
    cash: str = "1000000",
    price: str = "100.00",
    key: str = "NSE:RELIANCE",
) -> Desk:
    user = make_user(username)
    workspace = make_workspace(user)
    account = open_paper_account(workspace, user=user, name="Practice", cash=Decimal(cash), now=NOW)
    instrument = Instrument.objects.filter(key=key).first() or make_instrument(key)
    write_quotes([QuoteTick(instrument.key, Decimal(price), NOW, 1000)])
    return Desk(user, account, instrument)


def sweep_waiting(clock: Clock) -> int:
    """Do what orders wait for, as the workers whom the sweep nudges; answer how many waited."""
    waiting = waiting_orders(now=clock())
    for order_id in waiting:
        advance_in_turn(order_id, clock=clock)
    return len(waiting)


def settle_unknown_orders(clock: Clock) -> None:
    """Look up what is unknown and due, as the workers to whom the round hands the accounts."""
    for account_id in accounts_to_settle(now=clock()):
        settle_account(account_id, clock=clock)
