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
class Question:
    """What a person must answer before anything of a file is stored.

    ``code`` and a choice's first part are what an answer names; its second part is shown.
    """

    code: str
    words: str
    choices: tuple[tuple[str, str], ...]
    samples: tuple[str, ...] = ()


class NeedsAnswer(Exception):
    """The file can be read in two ways, or would do what is rarely meant."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.words)
        self.question = question


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


class Record(dict[str, str]):
    """A row of a table by the names of its columns; ``flaw`` says why it cannot be read."""

    def __init__(self, fields: Iterable[tuple[str, str]], *, flaw: str = "") -> None:
        super().__init__(fields)
        self.flaw = flaw


class Rows(Iterator[Item | Skipped]):
    """Items made of raw rows: a refused row becomes Skipped, a None is no row at all.

    ``line`` is that of the row that was given last.
    """

    def __init__(self, rows: Iterable[tuple[int, Raw]], make: Callable[[Raw], Item | None]) -> None:
        self.line = 0
        self._raw: object = ""
        self._made = self._make(rows, make)

    def __next__(self) -> Item | Skipped:
        return next(self._made)

    def _make(
        self, rows: Iterable[tuple[int, Raw]], make: Callable[[Raw], Item | None]
    ) -> Iterator[Item | Skipped]:
        for self.line, raw in rows:
            self._raw = raw
            try:
                if isinstance(raw, Record) and raw.flaw:
                    raise RowRefused(raw.flaw)
                item = make(raw)
            except RowRefused as refusal:
                yield self.refused(refusal)
            else:
                if item is not None:
                    yield item

    def refused(self, refusal: RowRefused) -> Skipped:
        """Leave out the row that was given last."""
        reason, shown = storable(str(refusal))[:300], storable(_shown(self._raw))[:500]
        return Skipped(self.line, reason, shown, refusal.outside_on)


def storable(text: str) -> str:
    """Replace what a database refuses in a text: NUL, and halves of characters out of JSON."""
    return text.replace("\0", "␀").encode("utf-8", errors="replace").decode()


def _shown(raw: object) -> str:
    values = list(raw.values()) if isinstance(raw, dict) else raw
    return ",".join(str(value) for value in values) if isinstance(values, list) else str(values)
