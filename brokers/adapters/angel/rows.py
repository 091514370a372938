"""Angel One's rows as the gateway's messages. Pure; rows mix text and numbers as they please.

A row that cannot be read raises :class:`Unreadable`, which costs that row.
"""

import re
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from brokers.abilities import Profile, SaleAuthorisation
from brokers.adapters.angel.words import (
    order_type_of,
    product_of,
    side_of,
    start_of_day,
    status_of,
    time_of,
    time_of_fill,
    validity_of,
)
from brokers.gateway import (
    FundsReport,
    HoldingReport,
    Margin,
    OrderReport,
    PositionReport,
    TradeReport,
)
from brokers.rows import KeyOf, Naming
from brokers.values import (
    MOST_PRICE,
    Row,
    Unreadable,
    count,
    count_or_zero,
    filled,
    is_nothing,
    number,
    number_or_zero,
    price,
    required,
    text,
)

BROKER = "Angel One"
_PAISA = Decimal("0.0001")


def key_of_row(row: Row, key_of: KeyOf) -> str:
    """Return the instrument's key by Angel's number; by its symbol where it tells no number."""
    field = "tradingsymbol" if is_nothing(row.get("symboltoken")) else "symboltoken"
    return key_of(required(row, "exchange"), required(row, field))


def naming(key_of: KeyOf) -> Naming:
    """How rows of every kind name what they are of."""
    return Naming(partial(key_of_row, key_of=key_of), "tradingsymbol", "orderid", _tag)


def _tag(row: Row) -> str:
    return text(row.get("ordertag"))


def order_report(row: Row, key_of: KeyOf, *, now: datetime, code: str = "") -> OrderReport:
    """:raises Unreadable: when the row cannot be read in full."""
    quantity = count(row.get("quantity"), "quantity", least=1)
    order_type = order_type_of(text(row.get("ordertype")))

    def status(done: int) -> Any:
        word = text(row.get("orderstatus")) or text(row.get("status"))
        is_stop = order_type.needs_trigger
        return status_of(word, filled=done, quantity=quantity, is_stop=is_stop, code=code)

    done = filled(
        row.get("filledshares"),
        quantity=quantity,
        status=status,
        remaining=row.get("unfilledshares"),
    )
    return OrderReport(
        broker_order_id=required(row, "orderid"),
        tag=_tag(row),
        instrument_key=key_of_row(row, key_of),
        side=side_of(text(row.get("transactiontype"))),
        order_type=order_type,
        product=product_of(text(row.get("producttype"))),
        validity=validity_of(text(row.get("duration"))),
        status=status(done),
        quantity=quantity,
        filled_quantity=done,
        updated_at=_changed_at(row) or start_of_day(now),
        average_price=price(row.get("averageprice"), "averageprice") if done else None,
        price=price(row.get("price"), "price"),
        trigger_price=price(row.get("triggerprice"), "triggerprice"),
        message=text(row.get("text")),
        exchange_order_id=text(row.get("exchangeorderid")),
    )


def trade_report(row: Row, instrument_key: str, *, now: datetime) -> TradeReport:
    """Read one fill.

    An exchange numbers fills anew each day, but Angel's order numbers begin with the date, so
    that the two together name one fill of the account for ever.

    :raises Unreadable: when the row cannot be read in full.
    """
    order_id, fill_id = required(row, "orderid"), required(row, "fillid")
    return TradeReport(
        trade_id=f"{order_id}-{fill_id}",
        broker_order_id=order_id,
        instrument_key=instrument_key,
        side=side_of(text(row.get("transactiontype"))),
        product=product_of(text(row.get("producttype"))),
        quantity=count(row.get("fillsize"), "fillsize", least=1),
        price=number(row.get("fillprice"), "fillprice", most=MOST_PRICE),
        traded_at=time_of_fill(row.get("filltime"), now=now),
        exchange_trade_id=fill_id,
    )


def position_report(row: Row, key_of: KeyOf) -> PositionReport:
    """Read one row of the net position; the average is that of the side that is open."""
    quantity = count(row.get("netqty"), "netqty")
    bought = _average(row, "totalbuyavgprice", "buyavgprice", "cfbuyavgprice")
    sold = _average(row, "totalsellavgprice", "sellavgprice", "cfsellavgprice")
    if "realised" in row:
        realized = number_or_zero(row["realised"], "realised")
    else:
        realized = _closed(row) * (sold - bought)
    return PositionReport(
        instrument_key=key_of_row(row, key_of),
        product=product_of(text(row.get("producttype"))),
        quantity=quantity,
        average_price=(bought if quantity > 0 else sold if quantity < 0 else Decimal(0)),
        buy_quantity=_shares(row, "buyqty"),
        sell_quantity=_shares(row, "sellqty"),
        realized_pnl=realized.quantize(_PAISA),
    )


def holding_report(row: Row, key_of: KeyOf) -> HoldingReport:
    """Read one holding: settled shares apart from those that arrive tomorrow."""
    if "t1quantity" not in row:
        raise Unreadable("t1quantity is not told")
    return HoldingReport(
        instrument_key=key_of_row(row, key_of),
        quantity=count(row.get("realisedquantity"), "realisedquantity", least=0),
        t1_quantity=_shares(row, "t1quantity"),
        average_price=price(row.get("averageprice"), "averageprice") or Decimal(0),
        collateral_quantity=_shares(row, "collateralquantity"),
    )


def sale_authorisation(row: Row) -> SaleAuthorisation:
    quantity = count(row.get("quantity"), "quantity", least=0)
    approved = _shares(row, "authorisedquantity")
    is_open = approved < quantity
    return SaleAuthorisation(
        isin=required(row, "isin"),
        quantity=quantity,
        approved_quantity=approved,
        words="CDSL wants your approval (TPIN) before more can be sold today" if is_open else "",
    )


def funds_report(data: Any) -> FundsReport:
    """Read the RMS limits. Money that Angel leaves null is nothing; net and cash are always told.

    :raises Unreadable: when net or cash is missing.
    """
    row = _object(data, "limits")
    cash = number(row.get("availablecash"), "availablecash")
    return FundsReport(
        cash=cash,
        margin_used=number_or_zero(row.get("utiliseddebits"), "utiliseddebits"),
        available=number(row.get("net"), "net"),
        opening_balance=cash,
        collateral=number_or_zero(row.get("collateral"), "collateral"),
    )


def margin_report(data: Any) -> Margin:
    """:raises Unreadable: when the total is missing."""
    row = _object(data, "margin")
    parts = row.get("marginComponents")
    span = parts.get("spanMargin") if isinstance(parts, dict) else None
    total = number(row.get("totalMarginRequired"), "totalMarginRequired")
    return Margin(total=total, span=number_or_zero(span, "spanMargin"))


def profile_of(data: Any, *, valid_until: datetime | None) -> Profile:
    """Read the profile; its lists come as lists or as their printed form in one string."""
    row = _object(data, "profile")
    return Profile(
        client_code=required(row, "clientcode"),
        name=text(row.get("name")),
        email=text(row.get("email")),
        exchanges=_words(row.get("exchanges")),
        permissions=_words(row.get("products")),
        token_valid_until=valid_until,
    )


def last_price(data: Any) -> Decimal:
    """:raises Unreadable: when no price above zero is told."""
    last = price(_object(data, "last price").get("ltp"), "the last price")
    if last is None:
        raise Unreadable("no last price is told")
    return last


def _changed_at(row: Row) -> datetime | None:
    for field in ("updatetime", "exchorderupdatetime", "exchtime"):
        moment = time_of(row.get(field))
        if moment is not None:
            return moment
    return None


def _closed(row: Row) -> int:
    """How much of the position was bought and sold again."""
    bought = _shares(row, "buyqty") + _shares(row, "cfbuyqty")
    sold = _shares(row, "sellqty") + _shares(row, "cfsellqty")
    return min(bought, sold)


def _average(row: Row, *fields: str) -> Decimal:
    told = (price(row.get(field), field) for field in fields)
    return next((found for found in told if found), Decimal(0))


def _shares(row: Row, field: str) -> int:
    """Read a number of shares that Angel leaves null or "--" where there are none."""
    return count_or_zero(row.get(field), field, least=0)


def _object(data: Any, what: str) -> Row:
    if not isinstance(data, dict):
        raise Unreadable(f"the {what} are no object")
    return data


def _words(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value or ""]
    return tuple(word for each in listed for word in re.findall(r"\w+", str(each)))
