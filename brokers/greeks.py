"""The greeks of an option as brokers tell them. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from brokers.values import Row, is_nothing, number

NAMES = ("delta", "gamma", "theta", "vega", "rho")


def greeks_of(row: Row, *, iv: Decimal | None) -> Mapping[str, Decimal]:
    """Return the greeks that a row tells.

    All of them zero beside no implied volatility are not worked out: a broker's word for none.
    """
    told = {name: number(row.get(name), name) for name in NAMES if not is_nothing(row.get(name))}
    return told if iv or any(told.values()) else {}
