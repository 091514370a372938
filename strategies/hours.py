"""What the clock forbids a strategy: trading a shut market, and holding MIS into the square-off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from brokers.terms import Product
from brokers.venue import CalendarUnknown, Phase, installed_venue
from market.calendar import IST, local_day
from market.models import Instrument, Interval
from strategies.algorithms.algorithm import Decision

# An entry shall have this long before its forced end, and an exit this long to be filled.
_ENTRY_MARGIN = timedelta(minutes=15)
_EXIT_MARGIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class IntradayClock:
    instrument: Instrument
    product: Product
    interval: Interval
    now: datetime

    @property
    def is_last_candle(self) -> bool:
        """Tell whether the next candle would close too late to leave before the square-off."""
        return self._ends_within(self.interval.length)

    def obstacle(self, decision: Decision) -> str:
        """Say why the decision cannot be acted on now; empty when it can."""
        try:
            phase = installed_venue().phase(self.instrument.ref(), self.now)
        except CalendarUnknown as error:
            return str(error)
        if phase is not Phase.OPEN:
            return "the market is not open"
        if not decision.is_exit and self._ends_within(max(self.interval.length, _ENTRY_MARGIN)):
            return "too near the intraday square-off"
        return ""

    def _ends_within(self, length: timedelta) -> bool:
        square_off = self._square_off()
        return square_off is not None and self.now + length > square_off - _EXIT_MARGIN

    def _square_off(self) -> datetime | None:
        if self.product is not Product.MIS:
            return None
        today = local_day(self.instrument.exchange, self.now)
        square_off = installed_venue().square_off_time(self.instrument.ref(), today)
        return datetime.combine(today, square_off, IST) if square_off else None
