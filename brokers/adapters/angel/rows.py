"""Angel One's rows as the gateway's messages. Pure; rows mix text and numbers as they please.

A row that cannot be read spoils the whole answer: half a book is not a book.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.abilities import Profile, SaleAuthorisation
from brokers.adapters.angel.words import (
    WordUnknown,
    count_of,
    decimal_of,
    decimal_or_zero,
    order_type_of,
    price_of,
    product_of,
    side_of,
    start_of_day,
    status_of,
    time_of,
    time_today,
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

Row = Mapping[str, Any]
KeyOf = Callable[[str, str], str]
_PAISA = Decimal("0.0001")


def rows_of(data: Any, what: str) -> list[Row]:
    """Return the rows of a book; null is Angel's word for an empty one.

    :raises WordUnknown: when it is neither.
    """
    if data is None:
        return []
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise WordUnknown(f"Angel One's {what} is no list of rows")
    return list(data)


def order_report(row: Row, key_of: KeyOf, *, now: datetime, code: str = "") -> OrderReport:
    """:raises WordUnknown: when the row cannot be read in full."""
    quantity, filled = _count(row, "quantity"), count_of(_told(row, "filledshares"))
    order_type = order_type_of(_text(row, "ordertype"))
    return OrderReport(
        broker_order_id=_named(row, "orderid"),
        tag=_text(row, "ordertag"),
        instrument_key=_key(row, key_of),
        side=side_of(_text(row, "transactiontype")),
        order_type=order_type,
        product=product_of(_text(row, "producttype")),
        validity=validity_of(_text(row, "duration")),
        status=status_of(
            _text(row, "orderstatus") or _text(row, "status"),
            filled=filled,
            quantity=quantity,
            is_stop=order_type.needs_trigger,
            code=code,
        ),
        quantity=quantity,
        filled_quantity=filled,
        updated_at=_changed_at(row) or start_of_day(now),
        average_price=price_of(row.get("averageprice")) if filled else None,
        price=price_of(row.get("price")),
        trigger_price=price_of(row.get("triggerprice")),
        message=_text(row, "text"),
        exchange_order_id=_text(row, "exchangeorderid"),
    )


def trade_report(row: Row, instrument_key: str, *, now: datetime) -> TradeReport:
    """Read one fill.

    An exchange numbers fills anew each day, but Angel's order numbers begin with the date, so
    that the two together name one fill of the account for ever.

    :raises WordUnknown: when the row cannot be read in full.
    """
    order_id, fill_id = _named(row, "orderid"), _named(row, "fillid")
    return TradeReport(
        trade_id=f"{order_id}-{fill_id}",
        broker_order_id=order_id,
        instrument_key=instrument_key,
        side=side_of(_text(row, "transactiontype")),
        product=product_of(_text(row, "producttype")),
        quantity=_count(row, "fillsize"),
        price=decimal_of(row.get("fillprice")),
        traded_at=time_today(row.get("filltime"), now=now),
        exchange_trade_id=fill_id,
    )


def position_report(row: Row, key_of: KeyOf) -> PositionReport:
    """Read one row of the net position; the average is that of the side that is open."""
    quantity = _count(row, "netqty")
    bought = _average(row, "totalbuyavgprice", "buyavgprice", "cfbuyavgprice")
    sold = _average(row, "totalsellavgprice", "sellavgprice", "cfsellavgprice")
    if "realised" in row:
        realized = decimal_or_zero(row["realised"])
    else:
        realized = _closed(row) * (sold - bought)
    return PositionReport(
        instrument_key=_key(row, key_of),
        product=product_of(_text(row, "producttype")),
        quantity=quantity,
        average_price=(bought if quantity > 0 else sold if quantity < 0 else Decimal(0)),
        buy_quantity=count_of(row.get("buyqty")),
        sell_quantity=count_of(row.get("sellqty")),
        realized_pnl=realized.quantize(_PAISA),
    )


def holding_report(row: Row, key_of: KeyOf) -> HoldingReport:
    """Read one holding: settled shares apart from those that arrive tomorrow."""
    return HoldingReport(
        instrument_key=_key(row, key_of),
        quantity=_count(row, "realisedquantity"),
        t1_quantity=count_of(_told(row, "t1quantity")),
        average_price=decimal_or_zero(row.get("averageprice")),
        collateral_quantity=count_of(row.get("collateralquantity")),
    )


def sale_authorisation(row: Row) -> SaleAuthorisation:
    quantity, approved = _count(row, "quantity"), count_of(row.get("authorisedquantity"))
    is_open = approved < quantity
    return SaleAuthorisation(
        isin=_named(row, "isin"),
        quantity=quantity,
        approved_quantity=approved,
        words="CDSL wants your approval (TPIN) before more can be sold today" if is_open else "",
    )


def funds_report(data: Any) -> FundsReport:
    """Read the RMS limits. Money that Angel leaves null is nothing; net and cash are always told.

    :raises WordUnknown: when net or cash is missing.
    """
    row = _object(data, "limits")
    cash = decimal_of(row.get("availablecash"))
    return FundsReport(
        cash=cash,
        margin_used=decimal_or_zero(row.get("utiliseddebits")),
        available=decimal_of(row.get("net")),
        opening_balance=cash,
        collateral=decimal_or_zero(row.get("collateral")),
    )


def margin_report(data: Any) -> Margin:
    """:raises WordUnknown: when the total is missing."""
    row = _object(data, "margin")
    parts = row.get("marginComponents")
    span = parts.get("spanMargin") if isinstance(parts, dict) else None
    return Margin(total=decimal_of(row.get("totalMarginRequired")), span=decimal_or_zero(span))


def profile_of(data: Any, *, valid_until: datetime | None) -> Profile:
    """Read the profile; its lists come as lists or as their printed form in one string."""
    row = _object(data, "profile")
    return Profile(
        client_code=_named(row, "clientcode"),
        name=_text(row, "name"),
        email=_text(row, "email"),
        exchanges=_words(row.get("exchanges")),
        permissions=_words(row.get("products")),
        token_valid_until=valid_until,
    )


def last_price(data: Any) -> Decimal:
    """:raises WordUnknown: when no price above zero is told."""
    price = decimal_of(_object(data, "last price").get("ltp"))
    if price <= 0:
        raise WordUnknown("Angel One tells no last price")
    return price


def _changed_at(row: Row) -> datetime | None:
    for field in ("updatetime", "exchorderupdatetime", "exchtime"):
        moment = time_of(row.get(field))
        if moment is not None:
            return moment
    return None


def _closed(row: Row) -> int:
    """How much of the position was bought and sold again."""
    bought = count_of(row.get("buyqty")) + count_of(row.get("cfbuyqty"))
    sold = count_of(row.get("sellqty")) + count_of(row.get("cfsellqty"))
    return min(bought, sold)


def _average(row: Row, *fields: str) -> Decimal:
    return next((found for field in fields if (found := price_of(row.get(field)))), Decimal(0))


def _text(row: Row, field: str) -> str:
    value = row.get(field)
    return "" if value is None else str(value).strip()


def _named(row: Row, field: str) -> str:
    text = _text(row, field)
    if not text:
        raise WordUnknown(f"Angel One sent a row without its {field}")
    return text


def _key(row: Row, key_of: KeyOf) -> str:
    return key_of(_named(row, "exchange"), _named(row, "symboltoken"))


def _told(row: Row, field: str) -> Any:
    """Return a field that may be empty but not absent: an absent one is no zero."""
    if field not in row:
        raise WordUnknown(f"Angel One sent a row without its {field}")
    return row[field]


def _count(row: Row, field: str) -> int:
    """Read a number of shares that must be told: what is missing is never zero."""
    return count_of(_named(row, field))


def _object(data: Any, what: str) -> Row:
    if not isinstance(data, dict):
        raise WordUnknown(f"Angel One's {what} is no object")
    return data


def _words(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value or ""]
    return tuple(word for each in listed for word in re.findall(r"\w+", str(each)))
