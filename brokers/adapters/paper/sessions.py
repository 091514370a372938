"""Questions of time to the venue."""

from datetime import date, datetime, time, timedelta

from brokers.gateway import InstrumentRef
from brokers.venue import IST, CalendarUnknown, Phase, Venue

TRADING_DAY = (Phase.PRE_OPEN, Phase.OPEN, Phase.CLOSING_PAUSE, Phase.CLOSING_AUCTION)


def indian_date(at: datetime) -> date:
    return at.astimezone(IST).date()


def start_of_day(at: datetime) -> datetime:
    return datetime.combine(indian_date(at), time.min, IST)


def phase_at(venue: Venue, instrument: InstrumentRef, at: datetime) -> Phase | None:
    """Return the phase, None where the calendar does not reach."""
    try:
        return venue.phase(instrument, at)
    except CalendarUnknown:
        return None


def session_at(venue: Venue, instrument: InstrumentRef, at: datetime) -> date | None:
    """Return the session's date, None where the calendar does not reach."""
    try:
        return venue.session_date(instrument, at)
    except CalendarUnknown:
        return None


def is_after_square_off(venue: Venue, instrument: InstrumentRef, on: date, at: datetime) -> bool:
    """Tell whether the intraday positions of that session are due to be closed by force."""
    cut_off = venue.square_off_time(instrument, on)
    return cut_off is not None and at >= datetime.combine(on, cut_off, IST)


def session_of_new_order(venue: Venue, instrument: InstrumentRef, at: datetime) -> date:
    """Return the session an order sent now is for: today's while it still trades, else the next.

    :raises CalendarUnknown: where the calendar does not reach.
    """
    session = venue.session_date(instrument, at)
    is_trading = venue.phase(instrument, at) in TRADING_DAY
    if is_trading or _opens_later(venue, instrument, session, at):
        return session
    return venue.session_date(instrument, at + timedelta(hours=12))


def is_session_over(venue: Venue, instrument: InstrumentRef, session: date, at: datetime) -> bool:
    """Tell whether that session can trade no more; a pause before the open does not end it.

    :raises CalendarUnknown: where the calendar does not reach.
    """
    now = venue.session_date(instrument, at)
    if now != session:
        return now > session
    is_trading = venue.phase(instrument, at) in TRADING_DAY
    return not is_trading and not _opens_later(venue, instrument, session, at)


def _opens_later(venue: Venue, instrument: InstrumentRef, session: date, at: datetime) -> bool:
    """Look ahead in half hours, for a venue tells the phase of a moment and not its hours."""
    moments = (at + timedelta(minutes=30 * step) for step in range(1, 49))
    return any(
        venue.phase(instrument, moment) is Phase.OPEN
        for moment in moments
        if venue.session_date(instrument, moment) == session
    )
