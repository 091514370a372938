"""What an importer makes of a file's rows, before anything touches the database."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from brokers.terms import InstrumentType, Segment
from market.bars import Bar
from market.models import Interval

Raw = TypeVar("Raw")
Item = TypeVar("Item")


class FileRefused(Exception):
    """The whole file cannot be read; the message says why and what to do."""


class RowRefused(Exception):
    """One row is left out; the message says why.

    ``outside_on`` is the day of a row that lies in no session known here.
    """

    def __init__(self, words: str, *, outside_on: date | None = None) -> None:
        super().__init__(words)
        self.outside_on = outside_on


@dataclass(frozen=True, slots=True)
class Skipped:
    line: int
    reason: str
    raw: str
    outside_on: date | None = None


class Listed(NamedTuple):
    """An instrument as a broker's master lists it, with that broker's own number for it.

    ``asset_id`` is the broker's lasting id, where its number is a symbol that may move.
    ``key`` is the key of a new instrument; one that is known keeps its own, whatever it is called.

    A ``lot_size`` of 0 says that this broker counts in lots and does not tell their size; another
    broker's list must.

    A named tuple and not a dataclass: masters have two hundred thousand of them, and they go to
    the database as they are.
    """

    key: str
    trading_symbol: str
    name: str
    exchange: str
    segment: str
    instrument_type: str
    lot_size: int
    tick_size: Decimal
    expiry: date | None
    strike: Decimal | None
    option_type: str
    underlying: str
    token_exchange: str
    token: str
    broker_symbol: str
    isin: str = ""
    asset_id: str = ""


@dataclass(frozen=True, slots=True)
class PricedInstrument:
    """What a price file tells of an instrument: enough to keep its history, not to trade it."""

    key: str
    segment: Segment = Segment.NSE_EQ
    instrument_type: InstrumentType = InstrumentType.EQ
    lot_size: int = 1
    expiry: date | None = None
    strike: Decimal | None = None
    underlying: str = ""

    @property
    def exchange(self) -> str:
        return self.key.partition(":")[0]

    @property
    def symbol(self) -> str:
        return self.key.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Priced:
    instrument: PricedInstrument
    interval: Interval
    bar: Bar


def each_row(
    rows: Iterable[tuple[int, Raw]], make: Callable[[Raw], Item | None]
) -> Iterator[Item | Skipped]:
    """Turn raw rows into items; a refused row becomes Skipped, a None is no row at all."""
    for line, raw in rows:
        try:
            item = make(raw)
        except RowRefused as refusal:
            reason, shown = storable(str(refusal))[:300], storable(_shown(raw))[:500]
            yield Skipped(line, reason, shown, refusal.outside_on)
        except KeyError as missing:  # The row is shorter than the names of its columns.
            words = f"The row breaks off before {missing.args[0]}"
            yield Skipped(line, storable(words)[:300], storable(_shown(raw))[:500])
        else:
            if item is not None:
                yield item


def storable(text: str) -> str:
    """Replace what a database refuses in a text: NUL, and halves of characters out of JSON."""
    return text.replace("\0", "␀").encode("utf-8", errors="replace").decode()


def _shown(raw: object) -> str:
    values = list(raw.values()) if isinstance(raw, dict) else raw
    return ",".join(str(value) for value in values) if isinstance(values, list) else str(values)
