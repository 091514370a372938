"""When a candle closes, and until when a decision on it is still worth acting on."""

from datetime import datetime, timedelta

from brokers.venue import CalendarUnknown
from market.bars import grid_of
from market.calendar import local_day, session_hours
from market.models import Instrument, Interval

# A decision on a long candle ages as fast as one on a short candle: the price moves on.
LONGEST_FRESHNESS = timedelta(minutes=5)
_INSTANT = timedelta(microseconds=1)


def closes_at(instrument: Instrument, interval: Interval, candle_at: datetime) -> datetime:
    """Return when a candle ends: after its length, or with the session."""
    end = candle_at + interval.length
    try:
        hours = session_hours(
            instrument.exchange, instrument.segment, local_day(instrument.exchange, candle_at)
        )
    except CalendarUnknown:
        return end
    if hours is None or hours.closes_at <= candle_at:
        return end
    return min(end, hours.session_end(candle_at))


def fresh_until(instrument: Instrument, interval: Interval, candle_at: datetime) -> datetime:
    """Return the moment from which a decision on this candle comes too late."""
    patience = min(interval.length, LONGEST_FRESHNESS)
    return closes_at(instrument, interval, candle_at) + patience


def candle_of(instrument: Instrument, interval: Interval, at: datetime) -> datetime:
    """Return when the candle that ``at`` falls into opens."""
    return grid_of(instrument.exchange).start_of(at, interval)


def latest_closed(instrument: Instrument, interval: Interval, now: datetime) -> datetime:
    """Return when the newest candle that has closed by now opened, were it traded in."""
    current = candle_of(instrument, interval, now)
    if closes_at(instrument, interval, current) <= now:
        return current
    return candle_of(instrument, interval, current - _INSTANT)
