"""Lots belong to contracts: what the exchange ruled for an expiry, and what is less than a lot."""

from datetime import date

from django.db.models import Q

from brokers.terms import Exchange
from market.models import Instrument, LotRule
from operations.figures import rupees

_RULED_BY = {Exchange.NFO: Exchange.NSE, Exchange.BFO: Exchange.BSE}


def ruled_lot(exchange: Exchange, underlying: str, *, expiry: date) -> int | None:
    """Return the lot of the contracts of one expiry; None where the rows do not agree on one.

    A weekly and a monthly contract of one month may differ, and a date does not say which it is.
    """
    rules = LotRule.objects.filter(
        Q(first_expiry=None) | Q(first_expiry__lte=expiry),
        Q(last_expiry=None) | Q(last_expiry__gte=expiry),
        exchange=_RULED_BY.get(exchange, exchange),
        underlying=underlying,
    )
    lots = set(rules.values_list("lot_size", flat=True))
    return lots.pop() if len(lots) == 1 else None


def odd_lot_words(instrument: Instrument, odd_lot: int) -> str:
    """Say what no order can close, and what becomes of it."""
    units, lot = rupees(odd_lot, 0), rupees(instrument.lot_size, 0)
    if instrument.expiry is None:
        return f"{units} are less than a lot of {lot}: sell them at the broker as an odd lot"
    return (
        f"{units} are less than a lot of {lot} and must wait for the expiry "
        f"on {instrument.expiry:%d %b %Y}"
    )
