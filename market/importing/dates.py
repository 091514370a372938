"""Dates in three numbers: 01/02/2024 is in January or in February, and a file means one of them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import models

from market.importing.reading import Source
from market.importing.rows import FileRefused, NeedsAnswer, Question, RowRefused

_THREE_NUMBERS = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})", re.ASCII)
_SAMPLES = 3


class DateOrder(models.TextChoices):
    DAY_FIRST = "day_first", "Day first (31/01/2024)"
    MONTH_FIRST = "month_first", "Month first (01/31/2024)"


Readings = Mapping[DateOrder, date]
Texts = Iterable[tuple[int, str]]
Samples = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class OrderFound:
    """What the dates of one column say: the order they prove, by which line, or what may be two.

    ``order`` is None where no date proves one; ``doubtful`` then holds dates that differ by it.
    """

    order: DateOrder | None
    line: int = 0
    text: str = ""
    doubtful: Samples = ()


class OrdersMixed(Exception):
    """Some dates of a file are only day first, and others only month first."""


def readings_of(text: str) -> Readings:
    """Return each date that three numbers may be, by the order; empty where it is none such."""
    parts = _THREE_NUMBERS.fullmatch(text)
    if parts is None:
        return {}
    first, second, year = int(parts[1]), int(parts[3]), int(parts[4])
    found: dict[DateOrder, date] = {}
    for order, day, month in (
        (DateOrder.DAY_FIRST, first, second),
        (DateOrder.MONTH_FIRST, second, first),
    ):
        try:
            found[order] = date(year, month, day)
        except ValueError:
            continue
    return found


def chosen(readings: Readings, order: DateOrder | None, what: str) -> date:
    """:raises RowRefused: when the date does not fit the order, or fits both and none is given."""
    if order is not None:
        if order not in readings:
            raise RowRefused(f"{what} is not a date with the {_words(order)} first")
        return readings[order]
    days = set(readings.values())
    if len(days) > 1:
        raise RowRefused(f"{what} may be day first or month first: write 2026-06-17")
    return days.pop()


def order_of(texts: Texts) -> OrderFound:
    """Tell by all the dates of a column in which order they stand.

    :raises OrdersMixed: when two dates prove the two orders.
    """
    proofs: dict[DateOrder, tuple[int, str]] = {}
    doubtful: list[tuple[int, str]] = []
    for line, text in texts:
        readings = readings_of(text)
        if len(readings) == 1:
            proofs.setdefault(next(iter(readings)), (line, text))
        elif len(set(readings.values())) > 1 and len(doubtful) < _SAMPLES:
            doubtful.append((line, text))
    if len(proofs) > 1:
        raise OrdersMixed(
            " and ".join(
                f"line {line} is only {_words(order)} first ({text})"
                for order, (line, text) in sorted(proofs.items(), key=lambda proof: proof[1])
            )
        )
    for order, (line, text) in proofs.items():
        return OrderFound(order, line, text)
    return OrderFound(None, doubtful=tuple(doubtful))


def order_in(
    source: Source, texts: Callable[[Source], Texts], *, said: str, usual: DateOrder | None = None
) -> DateOrder | None:
    """Look a file's dates through and return their order: the one proven, said, or usual.

    Notes in the source by what an order was proven. None is returned where all orders agree.

    :raises FileRefused: when the dates prove two orders, or another one than was said.
    :raises NeedsAnswer: when nothing tells the order.
    """
    with source.read_before() as lent:
        try:
            found = order_of(texts(lent))
        except OrdersMixed as mixed:
            raise FileRefused(f"The dates stand in two orders: {mixed}") from mixed
    if found.order is not None:
        proof = f"line {found.line} reads {found.text}"
        if said and said != found.order:
            raise FileRefused(f"The dates are {_words(found.order)} first: {proof}")
        if found.order is not usual:
            source.notes.append(f"Dates are read {_words(found.order)} first: {proof}")
        return found.order
    if said:
        return _said(said)
    if usual is None and found.doubtful:
        raise NeedsAnswer(_which_order(found.doubtful))
    return usual


def _said(order: str) -> DateOrder:
    if order not in DateOrder.values:
        raise FileRefused(f"There is no order of dates {order[:20]}: {', '.join(DateOrder.values)}")
    return DateOrder(order)


def _which_order(doubtful: Samples) -> Question:
    _, text = doubtful[0]
    readings = readings_of(text)
    return Question(
        code="dates",
        words="Is the day or the month first in the file's dates? No row of it tells",
        choices=tuple(
            (order.value, f"{order.label.partition(' (')[0]}: {text} is {day:%-d %b %Y}")
            for order, day in readings.items()
        ),
        samples=tuple(f"line {line}: {text}" for line, text in doubtful),
    )


def _words(order: DateOrder) -> str:
    return "day" if order is DateOrder.DAY_FIRST else "month"
