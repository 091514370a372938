"""Write the bars of a price file, and the instruments that only the file knows."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from django.db import transaction

from brokers.terms import Exchange
from market.importing.masters import Written, write_unlisted
from market.importing.rows import Listed, Priced, PricedInstrument
from market.naming import instruments_called
from market.rules.lots import ruled_lot
from market.schedules import IST
from market.store import StoredBar, write_bars

_CHUNK = 20_000
_USUAL_TICK = Decimal("0.05")


def write_prices(priced: Iterable[Priced], *, now: datetime) -> Written:
    """Store all the bars or none; an instrument that no master listed is made without terms."""
    total = changed = 0
    rows = iter(priced)
    ids: dict[str, int] = {}
    made: list[str] = []
    with transaction.atomic():
        while chunk := list(islice(rows, _CHUNK)):
            made += _find(ids, chunk, now=now)
            total += len(chunk)
            changed += write_bars(_stored(chunk, ids))
    return Written(changed, total - changed, tuple(made))


def _stored(chunk: list[Priced], ids: dict[str, int]) -> Iterator[StoredBar]:
    for item in chunk:
        yield StoredBar(ids[item.instrument.key], item.interval, item.bar)


def _find(ids: dict[str, int], chunk: list[Priced], *, now: datetime) -> list[str]:
    """Learn the ids of the instruments; make those that are not there and name them.

    A file that says what a contract is finds it by that, one that only names it by the name.
    """
    first_of = {item.instrument.key: item for item in reversed(chunk)}
    unknown = {key: item for key, item in first_of.items() if key not in ids}
    named = {
        key: item.bar.at.astimezone(IST).date()
        for key, item in unknown.items()
        if item.instrument.expiry is None
    }
    ids.update(instruments_called(named))
    missing = [item.instrument for key, item in unknown.items() if key not in ids]
    if not missing:
        return []
    lots = _Lots()
    found = write_unlisted([_unlisted(instrument, lots) for instrument in missing], now=now)
    ids.update(found.ids)
    return found.made


class _Lots(dict[tuple[str, str, date], int]):
    """The lot of an expiry, where a day without trades does not show it; 1 where nobody knows."""

    def __missing__(self, key: tuple[str, str, date]) -> int:
        exchange, underlying, expiry = key
        self[key] = ruled_lot(Exchange(exchange), underlying, expiry=expiry) or 1
        return self[key]

    def of(self, instrument: PricedInstrument) -> int:
        if instrument.lot_size > 1 or instrument.expiry is None:
            return instrument.lot_size
        return self[instrument.exchange, instrument.underlying, instrument.expiry]


def _unlisted(instrument: PricedInstrument, lots: _Lots) -> Listed:
    kind = instrument.instrument_type
    return Listed(
        key=instrument.key,
        trading_symbol=instrument.symbol,
        name=instrument.underlying or instrument.symbol,
        exchange=instrument.exchange,
        segment=instrument.segment,
        instrument_type=kind,
        lot_size=lots.of(instrument),
        tick_size=_USUAL_TICK,
        expiry=instrument.expiry,
        strike=instrument.strike,
        option_type=kind if kind.is_option else "",
        underlying=instrument.underlying,
        token_exchange="",
        token="",
        broker_symbol=instrument.key,
    )
