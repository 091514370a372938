"""Write the bars of a price file, and the instruments that only the file knows."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice

from django.db import transaction

from market.importing.masters import Written, write_unlisted
from market.importing.rows import Listed, Priced, PricedInstrument
from market.models import Instrument
from market.store import StoredBar, write_bars

_CHUNK = 20_000
_KEYS_AT_ONCE = 1000
_USUAL_TICK = Decimal("0.05")


def write_prices(priced: Iterable[Priced], *, now: datetime) -> Written:
    """Store all the bars or none; an instrument that no master listed is made without terms."""
    total = changed = 0
    rows = iter(priced)
    ids: dict[str, int] = {}
    made: list[str] = []
    with transaction.atomic():
        while chunk := list(islice(rows, _CHUNK)):
            named = {item.instrument.key: item.instrument for item in chunk}
            made += _find(ids, named, now=now)
            total += len(chunk)
            changed += write_bars(_stored(chunk, ids))
    return Written(changed, total - changed, tuple(made))


def _stored(chunk: list[Priced], ids: dict[str, int]) -> Iterator[StoredBar]:
    for item in chunk:
        yield StoredBar(ids[item.instrument.key], item.interval, item.bar)


def _find(ids: dict[str, int], wanted: dict[str, PricedInstrument], *, now: datetime) -> list[str]:
    """Learn the ids of the instruments; make those that are not there and name them."""
    _learn(ids, [key for key in wanted if key not in ids])
    missing = [instrument for key, instrument in wanted.items() if key not in ids]
    if missing:
        write_unlisted([_unlisted(instrument) for instrument in missing], now=now)
        _learn(ids, [instrument.key for instrument in missing])
    return [instrument.key for instrument in missing]


def _learn(ids: dict[str, int], keys: list[str]) -> None:
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        found = Instrument.objects.filter(key__in=keys[start : start + _KEYS_AT_ONCE])
        ids.update(found.values_list("key", "pk"))


def _unlisted(instrument: PricedInstrument) -> Listed:
    kind = instrument.instrument_type
    return Listed(
        key=instrument.key,
        trading_symbol=instrument.symbol,
        name=instrument.underlying or instrument.symbol,
        exchange=instrument.exchange,
        segment=instrument.segment,
        instrument_type=kind,
        lot_size=instrument.lot_size,
        tick_size=_USUAL_TICK,
        expiry=instrument.expiry,
        strike=instrument.strike,
        option_type=kind if kind.is_option else "",
        underlying=instrument.underlying,
        token_exchange="",
        token="",
        broker_symbol="",
    )
