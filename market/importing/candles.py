"""Write the bars of a price file, and the instruments that only the file knows."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from django.db import transaction

from brokers.terms import Exchange
from market.bars import Bar
from market.importing.doubts import Doubts
from market.importing.masters import Written, write_unlisted
from market.importing.rows import Listed, NeedsAnswer, Priced, PricedInstrument
from market.importing.undo import keep_candles, keep_made
from market.models import ImportRun
from market.naming import instruments_called
from market.rules.lots import ruled_lot
from market.schedules import IST
from market.store import CandleKey, StoredBar, stored_bars, write_bars

_CHUNK = 20_000
_USUAL_TICK = Decimal("0.05")


def write_prices(
    run: ImportRun, priced: Iterable[Priced], *, doubts: Doubts, now: datetime
) -> Written:
    """Store all the bars or none; an instrument that no master listed is made without terms.

    What was there before is kept for the run's undo.

    :raises NeedsAnswer: when the prices are hardly this instrument's, and nobody said they are.
    """
    total = changed = 0
    rows = iter(priced)
    ids: dict[str, int] = {}
    made: list[str] = []
    with transaction.atomic():
        while chunk := list(islice(rows, _CHUNK)):
            made += _find(ids, chunk, now=now)
            total += len(chunk)
            changed += _replace(run, chunk, ids, doubts)
        keep_made(run, [ids[key] for key in made])
        question = doubts.question()
        if question is not None and question.code not in run.options.get("accepted", ()):
            raise NeedsAnswer(question)
    return Written(changed, total - changed, tuple(made))


def _replace(run: ImportRun, chunk: list[Priced], ids: dict[str, int], doubts: Doubts) -> int:
    """Write the bars that tell something new and return how many do."""
    names: dict[CandleKey, str] = {}
    wanted: dict[CandleKey, Bar] = {}
    for item in chunk:
        doubts.see(item)
        identity = (ids[item.instrument.key], item.interval, item.bar.at)
        names[identity], wanted[identity] = item.instrument.key, item.bar
    stored = stored_bars(wanted)
    changed = [key for key, bar in wanted.items() if stored.get(key) != bar]
    for key in changed:
        if key in stored:
            doubts.see_replaced(names[key], stored[key], wanted[key])
    keep_candles(run, [(key, stored.get(key), wanted[key]) for key in changed])
    write_bars(StoredBar(key[0], key[1], wanted[key]) for key in changed)
    return len(changed)


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
