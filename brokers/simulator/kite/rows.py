"""Orders, trades, positions, holdings and money as Kite's rows."""

import hashlib
from datetime import datetime
from decimal import Decimal

from brokers.simulator.instruments import SimInstrument
from brokers.simulator.kite.listing import kite_symbol, kite_token
from brokers.simulator.records import (
    OrderState,
    SimFunds,
    SimHolding,
    SimOrder,
    SimPosition,
    SimTrade,
)
from brokers.terms import OrderType
from brokers.venue import IST

Row = dict[str, object]

STATUSES = {
    OrderState.RECEIVED: "PUT ORDER REQ RECEIVED",
    OrderState.VALIDATING: "VALIDATION PENDING",
    OrderState.OPEN_PENDING: "OPEN PENDING",
    OrderState.OPEN: "OPEN",
    OrderState.TRIGGER_PENDING: "TRIGGER PENDING",
    OrderState.PARTIAL: "OPEN",
    OrderState.COMPLETE: "COMPLETE",
    OrderState.CANCELLED: "CANCELLED",
    OrderState.REJECTED: "REJECTED",
    OrderState.EXPIRED: "CANCELLED",
    OrderState.AMO_RECEIVED: "AMO REQ RECEIVED",
    OrderState.MODIFY_PENDING: "MODIFY PENDING",
    OrderState.CANCEL_PENDING: "CANCEL PENDING",
}
_ZERO = Decimal(0)


def stamp(at: datetime) -> str:
    return f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}"


def order_row(order: SimOrder, status: str | None = None) -> Row:
    """Return an order; a market order shows as the limit its protection made of it."""
    is_sent = bool(order.exchange_order_id)
    return {
        "placed_by": order.client,
        "order_id": order.order_id,
        "exchange_order_id": order.exchange_order_id or None,
        "parent_order_id": order.extra.get("parent_order_id"),
        "status": status or STATUSES[order.state],
        "status_message": order.message or None,
        "status_message_raw": order.message or None,
        "order_timestamp": stamp(order.placed_at),
        "exchange_update_timestamp": stamp(order.updated_at) if is_sent else None,
        "exchange_timestamp": stamp(order.placed_at) if is_sent else None,
        "variety": order.variety or "regular",
        "modified": False,
        **_instrument(order.instrument),
        **_prices(order),
        "transaction_type": str(order.side),
        "validity": str(order.validity),
        "validity_ttl": 0,
        "product": str(order.product),
        "quantity": order.quantity,
        "disclosed_quantity": order.disclosed,
        "filled_quantity": order.filled_quantity,
        "pending_quantity": order.pending_quantity,
        "cancelled_quantity": order.cancelled_quantity,
        "market_protection": 0,
        "meta": {},
        **_tags(order),
        "guid": None,
    }


def _prices(order: SimOrder) -> Row:
    protected = order.extra.get("protected_price")
    return {
        "order_type": str(OrderType.LIMIT if protected else order.order_type),
        "price": Decimal(protected) if protected else order.price or _ZERO,
        "trigger_price": order.trigger_price or _ZERO,
        "average_price": order.average_price,
    }


def _tags(order: SimOrder) -> Row:
    tags = [order.tag] if order.tag else []
    tags += order.extra.get("marks", "").split()
    return {"tag": order.tag or None, **({"tags": tags} if tags else {})}


def history_rows(history: tuple[SimOrder, ...]) -> list[Row]:
    """Return an order's walk; a change shows as three steps of its own."""
    rows: list[Row] = []
    is_changing = False
    for order in history:
        if order.state is OrderState.MODIFY_PENDING:
            rows.append(order_row(order, "MODIFY VALIDATION PENDING"))
        elif is_changing:
            rows.append(order_row(order, "MODIFIED"))
        rows.append(order_row(order))
        is_changing = order.state is OrderState.MODIFY_PENDING
    return rows


def postback_row(order: SimOrder, *, secret: str = "") -> Row:
    """Return what is posted, and told on the socket, of an order's change; signed with a secret."""
    status = "UPDATE" if order.state is OrderState.PARTIAL else None
    row = order_row(order, status)
    signed = f"{order.order_id}{row['order_timestamp']}{secret}"
    checksum = hashlib.sha256(signed.encode()).hexdigest() if secret else ""
    unfilled = order.quantity - order.filled_quantity
    about = {"user_id": order.client, "unfilled_quantity": unfilled, "app_id": 1234}
    return {**about, "checksum": checksum, **row}


def trade_row(trade: SimTrade) -> Row:
    return {
        "trade_id": trade.trade_id,
        "order_id": trade.order_id,
        **_instrument(trade.instrument),
        "product": str(trade.product),
        "average_price": trade.price,
        "quantity": trade.quantity,
        "exchange_order_id": trade.exchange_order_id,
        "transaction_type": str(trade.side),
        "fill_timestamp": stamp(trade.traded_at),
        "order_timestamp": stamp(trade.traded_at)[11:],
        "exchange_timestamp": stamp(trade.traded_at),
    }


def position_row(position: SimPosition) -> Row:
    carried = position.carried_quantity
    bought, sold = _values(position)
    profit = sold - bought + position.quantity * position.last_price
    return {
        **_instrument(position.instrument),
        "product": str(position.product),
        "quantity": position.quantity,
        "overnight_quantity": carried,
        "multiplier": 1,
        "average_price": position.average_price if position.quantity else _ZERO,
        "close_price": _ZERO,
        "last_price": position.last_price,
        "value": sold - bought,
        "pnl": profit,
        "m2m": profit,
        "unrealised": profit,
        "realised": 0,
        **_side("buy", position.buy_quantity + max(carried, 0), bought),
        **_side("sell", position.sell_quantity + max(-carried, 0), sold),
        **_side("day_buy", position.buy_quantity, position.buy_value),
        **_side("day_sell", position.sell_quantity, position.sell_value),
    }


def _values(position: SimPosition) -> tuple[Decimal, Decimal]:
    """Return all that was bought and sold: what was carried over counts at its own price."""
    bought, sold = position.buy_value, position.sell_value
    held = position.quantity * position.average_price
    carried = sold - bought + held - position.realized
    return bought + max(carried, _ZERO), sold + max(-carried, _ZERO)


def holding_row(holding: SimHolding) -> Row:
    total = holding.quantity + holding.t1_quantity
    return {
        **_instrument(holding.instrument),
        "isin": holding.instrument.isin,
        "product": "CNC",
        "price": 0,
        "quantity": holding.quantity,
        "used_quantity": 0,
        "t1_quantity": holding.t1_quantity,
        "realised_quantity": holding.quantity,
        "authorised_quantity": 0,
        "authorised_date": "0001-01-01 00:00:00",
        "authorisation": {},
        "opening_quantity": total,
        "short_quantity": 0,
        "collateral_quantity": 0,
        "collateral_type": "",
        "discrepancy": False,
        "average_price": holding.average_price,
        "last_price": holding.last_price,
        "close_price": holding.close,
        "pnl": (holding.last_price - holding.average_price) * total,
        "day_change": holding.last_price - holding.close,
        "day_change_percentage": (holding.last_price - holding.close) * 100 / holding.close,
        "mtf": dict.fromkeys(("quantity", "used_quantity", "average_price", "value"), 0),
    }


def money_rows(funds: SimFunds) -> Row:
    return {"equity": _segment(funds), "commodity": _segment(None)}


def _segment(funds: SimFunds | None) -> Row:
    cash = funds.cash if funds else _ZERO
    return {
        "enabled": True,
        "net": funds.available if funds else _ZERO,
        "available": {
            "adhoc_margin": 0,
            "cash": cash,
            "opening_balance": funds.opening_balance if funds else _ZERO,
            "live_balance": funds.available if funds else _ZERO,
            "collateral": 0,
            "intraday_payin": 0,
        },
        "utilised": {
            "debits": funds.used if funds else _ZERO,
            "exposure": 0,
            "m2m_realised": funds.realized if funds else _ZERO,
            "m2m_unrealised": funds.unrealized if funds else _ZERO,
            "option_premium": 0,
            "payout": 0,
            "span": funds.used if funds else _ZERO,
            "holding_sales": 0,
            "turnover": 0,
            "liquid_collateral": 0,
            "stock_collateral": 0,
            "delivery": 0,
        },
    }


def _instrument(instrument: SimInstrument) -> Row:
    return {
        "exchange": instrument.exchange,
        "tradingsymbol": kite_symbol(instrument),
        "instrument_token": kite_token(instrument),
    }


def _side(name: str, quantity: int, value: Decimal) -> Row:
    price = value / quantity if quantity else _ZERO
    return {
        f"{name}_quantity": quantity,
        f"{name}_price": price,
        f"{name}_value": value,
        f"{name}_m2m": value,
    }
