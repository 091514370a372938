"""Make one bar of five texts, and refuse what no market prints."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.venue import CalendarUnknown, Phase
from market.bars import Bar
from market.calendar import local_day, session_hours
from market.importing.rows import Priced, RowRefused
from market.importing.values import count_of, price_of
from market.models import Interval
from market.session_rules import HoursUnknown

_TRADING = (Phase.OPEN, Phase.CLOSING_PAUSE, Phase.CLOSING_AUCTION)


@dataclass(frozen=True, slots=True)
class Texts:
    """A bar as a file writes it; ``places`` is what its prices are rounded to.

    An exchange's closing price is an average and may lie outside what traded last:
    ``close_may_stray`` says that it does in this file.
    """

    open: str
    high: str
    low: str
    close: str
    volume: str = "0"
    open_interest: str | None = None
    places: str = "0.0001"
    close_may_stray: bool = False


def bar_of(texts: Texts, *, at: datetime) -> Bar:
    """:raises RowRefused: when a price is missing or the four contradict each other."""
    opened, high, low, close = (
        price_of(text, what, places=texts.places)
        for text, what in (
            (texts.open, "The open"),
            (texts.high, "The high"),
            (texts.low, "The low"),
            (texts.close, "The close"),
        )
    )
    _check_range(high, low, inside=(opened,) if texts.close_may_stray else (opened, close))
    interest = texts.open_interest
    return Bar(
        at,
        opened,
        high,
        low,
        close,
        count_of(texts.volume.strip().removesuffix(".0"), "The volume"),
        None if interest is None else count_of(interest, "The open interest"),
    )


def in_session(priced: Priced) -> Priced:
    """Refuse a bar of a time at which its exchange did not trade; a day's bar is not judged.

    :raises RowRefused: when the exchange was shut. Where no calendar reaches, nothing is refused.
    """
    if priced.interval is Interval.D1:
        return priced
    exchange, at = priced.instrument.exchange, priced.bar.at
    day = local_day(exchange, at)
    try:
        hours = session_hours(exchange, priced.instrument.segment, day, has_closing_auction=True)
    except HoursUnknown as error:
        raise RowRefused(str(error), outside_on=day) from error
    except CalendarUnknown:
        return priced
    if hours is None:
        words = (
            f"{exchange} was shut on {day:%-d %b %Y}; "
            "if there was a special session, add it to the calendar and import again"
        )
        raise RowRefused(words, outside_on=day)
    if hours.phase_at(at) not in _TRADING:
        words = f"{exchange} was not trading at this time of {day:%-d %b %Y}"
        raise RowRefused(words, outside_on=day)
    return priced


def _check_range(high: Decimal, low: Decimal, *, inside: tuple[Decimal, ...]) -> None:
    if high < low:
        raise RowRefused(f"The high {high:f} is below the low {low:f}")
    if not all(low <= price <= high for price in inside):
        raise RowRefused(f"The open or close is outside the range {low:f} to {high:f}")
