"""A broker's lists, row by row: one that cannot be read costs that row and not the account."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from brokers.values import Row, Unreadable, required, shown, text

logger = logging.getLogger(__name__)
Read = TypeVar("Read")
KeyOf = Callable[[str, str], str]  # a broker's exchange and its number or symbol to our key
# What a row of another shape than was ever seen runs into.
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that cannot be read: why, and what it names all the same.

    What it does not name is empty; ``place`` is its number in the list, from one.
    """

    words: str
    place: int = 0
    order_id: str = ""
    tag: str = ""
    instrument_key: str = ""
    symbol: str = ""

    @property
    def name(self) -> str:
        """What a person finds it by."""
        order = f"order {self.order_id}" if self.order_id else ""
        named = " ".join(each for each in (order, self.symbol or self.instrument_key) if each)
        return named or f"row {self.place}"


class Listed(list[Read]):
    """The rows of a list that can be read, and beside them those that cannot."""

    def __init__(
        self, rows: Iterable[Read] = (), *, unreadable: Sequence[UnreadableRow] = ()
    ) -> None:
        super().__init__(rows)
        self.unreadable = tuple(unreadable)

    def with_more(self, more: "Listed[Read]") -> "Listed[Read]":
        """Return this list and the next page of it."""
        return Listed([*self, *more], unreadable=(*self.unreadable, *more.unreadable))


@dataclass(frozen=True, slots=True)
class Naming:
    """The fields by which rows of a kind say what they are of."""

    key: Callable[[Row], str]
    symbol: str
    order_id: str = ""
    tag: Callable[[Row], str] = lambda _: ""


def read_rows(
    data: object, read: Callable[[Row], Read], *, naming: Naming, broker: str
) -> Listed[Read]:
    """Read every row that can be read.

    :raises Unreadable: when the answer is no list: that is no answer, and never an empty one.
    """
    if not isinstance(data, list):
        raise Unreadable(f"{broker} did not answer with a list")
    found, unreadable = list[Read](), list[UnreadableRow]()
    for place, row in enumerate(data, start=1):
        try:
            found.append(read(_object(row)))
        except _MALFORMED as error:
            words = text(f"{broker}'s row cannot be read: {_words(error)}")
            unreadable.append(named(row, words, naming=naming, place=place))
            logger.error("%s (%s)", words, unreadable[-1].name)
    return Listed(found, unreadable=unreadable)


def rows_of(data: object, what: str, *, takes_null: bool = False) -> list[Row]:
    """Return the rows of a list that counts as a whole.

    :raises Unreadable: when it is no list of objects; null only ``takes_null`` calls empty.
    """
    if data is None and takes_null:
        return []
    if not isinstance(data, list) or not all(isinstance(row, Mapping) for row in data):
        raise Unreadable(f"the {what} are no list of rows")
    return data


def unreadable_in(rows: Sequence[object]) -> tuple[UnreadableRow, ...]:
    """Return the rows of a list that could not be read; a broker of our own reads them all."""
    return rows.unreadable if isinstance(rows, Listed) else ()


def named(row: object, words: str, *, naming: Naming, place: int = 0) -> UnreadableRow:
    """Say what a row names, though the rest of it cannot be read."""
    if not isinstance(row, Mapping):
        return UnreadableRow(words, place)
    return UnreadableRow(
        words,
        place,
        order_id=_told(lambda: required(row, naming.order_id)),
        tag=_told(lambda: naming.tag(row)),
        instrument_key=_told(lambda: naming.key(row)),
        symbol=_told(lambda: required(row, naming.symbol)),
    )


def _object(row: object) -> Row:
    if not isinstance(row, Mapping):
        raise Unreadable(f"it is no object: {shown(row)}")
    return row


def _told(name: Callable[[], str]) -> str:
    try:
        return name()
    except _MALFORMED:
        return ""


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, Unreadable) else f"{type(error).__name__} in it"
