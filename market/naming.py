"""Find instruments by what a file or a person calls them: today's name, one of then, a broker's."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.db.models import Q

from market.models import BrokerInstrument, Instrument, InstrumentName

_AT_ONCE = 500


def instruments_called(names: Mapping[str, date]) -> dict[str, int]:
    """Return the ids of what is called NSE:INFY on a day, by that name; what is unknown is absent.

    A name that it had on the day goes before the same name that another has today. Brokers' own
    names and a key that no name speaks of any more come last.
    """
    found: dict[str, int] = {}
    for keys in _in_parts(sorted(names)):
        symbols = [key.partition(":")[2] for key in keys]
        places = [
            _by_brokers_names(symbols),
            dict(Instrument.objects.filter(key__in=keys).values_list("key", "pk")),
            _by_todays_names(symbols),
            _by_names_of_then(symbols, names),
        ]
        for place in places:
            found.update((key, pk) for key, pk in place.items() if key in names)
    return found


def called(words: str) -> Q:
    """Match what was, or a broker calls, by the start of a name; for a search."""
    earlier = InstrumentName.objects.filter(name__istartswith=words).values("instrument")
    at_brokers = BrokerInstrument.objects.filter(
        broker_symbol__istartswith=words, is_listed=True
    ).values("instrument")
    return Q(pk__in=earlier) | Q(pk__in=at_brokers)


def other_names(instrument: Instrument, *, broker: str, on: date) -> list[str]:
    """Say what else an instrument is called: by a broker, and by all on an earlier day."""
    listed = instrument.broker_instruments.filter(broker_type=broker).newest_first()
    at_broker = listed.values_list("broker_symbol", flat=True).first()
    then = [each.name for each in instrument.names.order_by("pk") if _held(each, on)]
    told = [f"{name} then" for name in then if name != instrument.trading_symbol]
    if at_broker and at_broker != instrument.trading_symbol:
        told.append(f"{at_broker} at the broker")
    return told


def _by_names_of_then(symbols: Sequence[str], names: Mapping[str, date]) -> dict[str, int]:
    rows = InstrumentName.objects.filter(name__in=symbols).select_related("instrument")
    found = {}
    for row in rows:
        key = f"{row.instrument.exchange}:{row.name}"
        day = names.get(key)
        if day is not None and _held(row, day):
            found[key] = row.instrument_id
    return found


def _held(row: InstrumentName, day: date) -> bool:
    begun = row.effective_from is None or row.effective_from <= day
    return begun and (row.effective_to is None or day <= row.effective_to)


def _by_todays_names(symbols: Sequence[str]) -> dict[str, int]:
    """Of several of one name, the one that is traded, then the one that had the name first."""
    rows = Instrument.objects.filter(trading_symbol__in=symbols).order_by("is_active", "-pk")
    return {
        f"{exchange}:{symbol}": pk
        for exchange, symbol, pk in rows.values_list("exchange", "trading_symbol", "pk")
    }


def _by_brokers_names(symbols: Sequence[str]) -> dict[str, int]:
    rows = BrokerInstrument.objects.filter(broker_symbol__in=symbols, is_listed=True)
    told = rows.values_list("instrument__exchange", "broker_symbol", "instrument")
    ids: dict[str, set[int]] = {}
    for exchange, symbol, pk in told:
        ids.setdefault(f"{exchange}:{symbol}", set()).add(pk)
    # Dhan has one name for several contracts of a month: such a name says nothing.
    return {key: each.pop() for key, each in ids.items() if len(each) == 1}


def _in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
