"""Fills to book, with the order each belongs to."""

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side
from market.models import Instrument
from operations.ids import new_id, new_order_tag
from orders.models import Order, Trade
from portfolio.fills import Fill
from portfolio.services import Booked, book_fill
from strategies.models import Strategy, UserStrategy
from tests.builders import NOW, make_account, make_user, make_workspace

TODAY = date(2026, 6, 17)
TOMORROW = date(2026, 6, 18)


def make_desk(username: str = "asha", **fields: Any) -> TradingAccount:
    """A trading account with a workspace and an owner around it."""
    return make_account(make_workspace(make_user(username)), **fields)


def make_order(
    account: TradingAccount, instrument: Instrument, side: Side, quantity: int, **fields: Any
) -> Order:
    return Order.objects.create(
        workspace=account.workspace,
        user=account.connection.user,
        account=account,
        instrument=instrument,
        tag=new_order_tag(NOW),
        idempotency_key=str(new_id()),
        request_hash="",
        side=side,
        order_type=OrderType.MARKET,
        quantity=quantity,
        expires_at=NOW + timedelta(hours=1),
        created_at=NOW,
        **fields,
    )


def make_fill(
    account: TradingAccount,
    instrument: Instrument,
    traded: str,
    *,
    at: datetime = NOW,
    **fields: Any,
) -> Fill:
    """A fill written the way a trader says it: ``"BUY 10 @ 100.50"``."""
    side, quantity, _, price = traded.split()
    strategy = fields.get("user_strategy_id")
    order = make_order(account, instrument, Side(side), int(quantity), user_strategy_id=strategy)
    return Fill(
        **{
            "trade_id": new_id(),
            "order_id": order.pk,
            "account": account,
            "instrument": instrument,
            "user_strategy_id": None,
            "product": Product.MIS,
            "side": Side(side),
            "quantity": int(quantity),
            "price": Decimal(price),
            "traded_at": at,
            "session_date": TODAY,
            **fields,
        }
    )


def trade(account: TradingAccount, instrument: Instrument, *traded: str, **fields: Any) -> Booked:
    """Book fills one after the other; return what the last one came to."""
    *_, last = [
        book_fill(make_fill(account, instrument, each, **fields), now=NOW) for each in traded
    ]
    return last


def record(fill: Fill) -> Booked:
    """Book a fill and write its Trade row, as the order book does."""
    booked = book_fill(fill, now=fill.traded_at)
    charges = booked.charges
    Trade.objects.create(
        pk=fill.trade_id,
        workspace_id=fill.account.workspace_id,
        account=fill.account,
        order_id=fill.order_id,
        instrument=fill.instrument,
        broker_trade_id=str(fill.trade_id),
        side=fill.side,
        product=fill.product,
        quantity=fill.quantity,
        price=fill.price,
        realized_pnl=booked.realized_pnl,
        brokerage=charges.brokerage,
        exchange_charges=charges.exchange_charges,
        sebi_fee=charges.sebi_fee,
        stt=charges.stt,
        stamp_duty=charges.stamp_duty,
        gst=charges.gst,
        charges_known=booked.charges_known,
        net_amount=booked.net_amount,
        session_date=fill.session_date,
        traded_at=fill.traded_at,
        created_at=fill.traded_at,
    )
    return booked


def make_running_strategy(account: TradingAccount, name: str = "momentum") -> uuid.UUID:
    """The id of a strategy that runs on the account."""
    strategy = Strategy.objects.create(
        slug=name, name=name, description="", category="Trend", algorithm=name, risk_level="Low"
    )
    running = UserStrategy.objects.create(
        workspace=account.workspace,
        user=account.connection.user,
        strategy=strategy,
        account=account,
        activated_at=NOW,
    )
    return running.pk
