"""Orders, fills, positions and money as Alpaca's rows: nearly every number is a text."""

from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from brokers.simulator.alpaca.answers import stamp, text
from brokers.simulator.alpaca.chains import REJECTED, REPLACED, WAITING, Filled, Link
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.records import OrderState, SimFunds, SimOrder
from brokers.terms import OrderType, Side, Validity

Row = dict[str, object]

TYPES = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.SL: "stop_limit",
    OrderType.SL_M: "stop",
}
STATUSES = {
    OrderState.RECEIVED: "pending_new",
    OrderState.VALIDATING: "pending_new",
    OrderState.OPEN_PENDING: "pending_new",
    OrderState.OPEN: "new",
    OrderState.TRIGGER_PENDING: "new",
    OrderState.PARTIAL: "partially_filled",
    OrderState.COMPLETE: "filled",
    OrderState.CANCELLED: "canceled",
    OrderState.REJECTED: "rejected",
    OrderState.EXPIRED: "expired",
    OrderState.AMO_RECEIVED: "accepted",
    OrderState.MODIFY_PENDING: "pending_replace",
    OrderState.CANCEL_PENDING: "pending_cancel",
}
_STANDING: Row = {
    "daytrade_count": 0,
    "pattern_day_trader": False,
    "trading_blocked": False,
    "transfers_blocked": False,
    "account_blocked": False,
    "trade_suspended_by_user": False,
    "shorting_enabled": True,
    "multiplier": "2",
    "options_approved_level": 0,
    "options_trading_level": 0,
}
OPEN_STATUSES = frozenset(
    {"pending_new", "new", "partially_filled", "accepted", "pending_replace", "pending_cancel"}
)


def asset_id(instrument: SimInstrument) -> str:
    return str(uuid5(NAMESPACE_URL, f"brokersim/asset/{instrument.symbol}"))


def order_row(order: SimOrder, link: Link) -> Row:
    """Return one link of an order's chain."""
    terms = link.terms
    status = _status(order, link)
    return {
        "id": link.wire_id,
        "client_order_id": link.client_order_id,
        **_times(order, link, status),
        "replaced_by": link.replaced_by,
        "replaces": link.replaces,
        "asset_id": asset_id(order.instrument),
        "symbol": order.instrument.symbol,
        "asset_class": "us_equity",
        "notional": None,
        "qty": text(terms.quantity),
        "filled_qty": text(link.filled),
        "filled_avg_price": text(link.average),
        "order_class": "",
        "order_type": TYPES[order.order_type],
        "type": TYPES[order.order_type],
        "side": "buy" if order.side is Side.BUY else "sell",
        "position_intent": "buy_to_open" if order.side is Side.BUY else "sell_to_close",
        "time_in_force": "ioc" if terms.validity is Validity.IOC else "day",
        "limit_price": text(terms.price),
        "stop_price": text(terms.trigger_price),
        "status": status,
        "extended_hours": False,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
    }


def _times(order: SimOrder, link: Link, status: str) -> Row:
    changed_at = link.ended_at or (link.created_at if link.state == WAITING else order.updated_at)
    ended = stamp(order.updated_at)
    return {
        "created_at": stamp(link.created_at),
        "updated_at": stamp(max(changed_at, link.created_at)),
        "submitted_at": stamp(link.created_at),
        "filled_at": stamp(link.filled_at) if link.filled_at else None,
        "expired_at": ended if status == "expired" else None,
        "canceled_at": ended if status == "canceled" else None,
        "failed_at": ended if status == "rejected" else None,
        "replaced_at": stamp(link.ended_at) if link.state == REPLACED else None,
    }


def _status(order: SimOrder, link: Link) -> str:
    if link.state == WAITING:
        return "pending_new"
    if link.state in (REPLACED, REJECTED):
        return link.state
    if order.state is OrderState.PARTIAL and not link.filled:
        return "new"
    return STATUSES[order.state]


def activity_row(filled: Filled) -> Row:
    """Return a fill as the account's activities tell it; it names its order and its symbol."""
    trade, link, so_far = filled.trade, filled.link, filled.so_far
    quantity = link.terms.quantity
    return {
        "id": filled.activity_id,
        "activity_type": "FILL",
        "transaction_time": stamp(trade.traded_at),
        "type": "fill" if so_far >= quantity else "partial_fill",
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "side": "buy" if trade.side is Side.BUY else "sell",
        "symbol": trade.instrument.symbol,
        "leaves_qty": text(max(quantity - so_far, 0)),
        "order_id": link.wire_id,
        "cum_qty": text(so_far),
        "order_status": "filled" if so_far >= quantity else "partially_filled",
    }


def position_row(
    instrument: SimInstrument, *, quantity: int, average: Decimal, last: Decimal, close: Decimal
) -> Row:
    worth, cost = last * quantity, average * quantity
    return {
        "asset_id": asset_id(instrument),
        "symbol": instrument.symbol,
        "exchange": instrument.exchange,
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": text(quantity),
        "qty_available": text(quantity),
        "avg_entry_price": text(average),
        "side": "long" if quantity > 0 else "short",
        "market_value": text(worth),
        "cost_basis": text(cost),
        "unrealized_pl": text(worth - cost),
        "unrealized_plpc": text(((worth - cost) / cost).quantize(Decimal("0.000001"))),
        "current_price": text(last),
        "lastday_price": text(close),
        "change_today": text(((last - close) / close).quantize(Decimal("0.000001"))),
    }


def account_row(funds: SimFunds, *, client: str, worth: Decimal, at: datetime) -> Row:
    """Return the account. Twice the money may be spent with what Alpaca would lend."""
    equity = funds.cash + worth
    return {
        "id": str(uuid5(NAMESPACE_URL, f"brokersim/account/{client}")),
        "account_number": client,
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "buying_power": text(funds.available * 2),
        "regt_buying_power": text(funds.available * 2),
        "daytrading_buying_power": "0",
        "non_marginable_buying_power": text(funds.available),
        "cash": text(funds.cash),
        "accrued_fees": "0",
        "portfolio_value": text(equity),
        "equity": text(equity),
        "last_equity": text(funds.opening_balance),
        "long_market_value": text(worth),
        "short_market_value": "0",
        "initial_margin": text(worth / 2),
        "maintenance_margin": text((worth * Decimal("0.3")).quantize(Decimal("0.01"))),
        "last_maintenance_margin": "0",
        "sma": "0",
        "balance_asof": f"{at:%Y-%m-%d}",
        "created_at": stamp(at),
        **_STANDING,
    }


def asset_row(instrument: SimInstrument) -> Row:
    return {
        "id": asset_id(instrument),
        "class": "us_equity",
        "exchange": instrument.exchange,
        "symbol": instrument.symbol,
        "name": instrument.name,
        "status": "active",
        "tradable": True,
        "marginable": True,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": True,
        "attributes": [],
    }
