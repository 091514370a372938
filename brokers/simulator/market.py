"""The simulated market: last prices, the day's range, a book of five levels, circuit limits."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TypedDict

from brokers.gateway import QuoteTick
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.records import DepthLevel, SimQuote
from brokers.terms import InstrumentType, Segment
from brokers.venue import PriceBand

_LEVELS = 5
_LEVEL_QUANTITY = 500
_CIRCUIT = Decimal("0.10")
_OPTION_ROOM = Decimal("0.20")
DEFAULT_VOLUME = 100_000


class TickDetails(TypedDict, total=False):
    """What a tick may say besides its price. Without a quote, orders trade at the last price."""

    volume: int
    bid: Decimal | None
    ask: Decimal | None
    bid_quantity: int
    ask_quantity: int
    open_interest: int | None


@dataclass(slots=True)
class _Line:
    """The running state of one instrument."""

    instrument: SimInstrument
    last: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    at: datetime
    volume: int = 0
    turnover: Decimal = Decimal(0)
    last_quantity: int = 0
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_quantity: int = 0
    ask_quantity: int = 0
    open_interest: int = 0


class Market:
    """Every instrument's line. Not safe for threads by itself: the broker's lock guards it."""

    def __init__(self, instruments: dict[str, SimInstrument], *, at: datetime) -> None:
        self._lines = {token: _new_line(each, at) for token, each in instruments.items()}

    def has(self, token: str) -> bool:
        return token in self._lines

    def instrument(self, token: str) -> SimInstrument:
        return self._lines[token].instrument

    def last(self, token: str) -> Decimal:
        return self._lines[token].last

    def close(self, token: str) -> Decimal:
        return self._lines[token].close

    def tick(self, token: str, price: Decimal, details: TickDetails, *, at: datetime) -> QuoteTick:
        """Move the line and return the tick as matching reads it."""
        line = self._lines[token]
        volume = details.get("volume", DEFAULT_VOLUME)
        line.last, line.at, line.last_quantity = price, at, volume
        line.high, line.low = max(line.high, price), min(line.low, price)
        line.volume += volume
        line.turnover += price * volume
        line.bid, line.ask = details.get("bid"), details.get("ask")
        line.bid_quantity = details.get("bid_quantity", 0)
        line.ask_quantity = details.get("ask_quantity", 0)
        interest = details.get("open_interest")
        line.open_interest = line.open_interest if interest is None else interest
        return QuoteTick(
            key=token,
            ltp=price,
            at=at,
            volume=volume,
            bid=line.bid,
            ask=line.ask,
            bid_quantity=line.bid_quantity,
            ask_quantity=line.ask_quantity,
            open_interest=interest,
        )

    def quote(self, token: str) -> SimQuote:
        line = self._lines[token]
        instrument, band = line.instrument, self.band(token)
        average = line.turnover / line.volume if line.volume else line.last
        return SimQuote(
            instrument=instrument,
            last_price=line.last,
            last_quantity=line.last_quantity,
            average_price=average.quantize(Decimal("0.01")),
            open=line.open,
            high=line.high,
            low=line.low,
            close=line.close,
            volume=line.volume,
            bids=_levels(line, -1),
            asks=_levels(line, 1),
            open_interest=line.open_interest,
            lower_circuit=band.lower,
            upper_circuit=band.upper,
            at=line.at,
        )

    def band(self, token: str) -> PriceBand:
        """Return the day's circuit limits: 10 % about the close, for options far wider."""
        line = self._lines[token]
        instrument = line.instrument
        if instrument.kind.is_option:
            room = (instrument.strike or line.close) * _OPTION_ROOM
            return PriceBand(
                instrument.tick, line.close + room // instrument.tick * instrument.tick
            )
        lower, upper = line.close * (1 - _CIRCUIT), line.close * (1 + _CIRCUIT)
        return PriceBand(
            (lower / instrument.tick).to_integral_value(ROUND_CEILING) * instrument.tick,
            (upper / instrument.tick).to_integral_value(ROUND_FLOOR) * instrument.tick,
        )

    def next_day(self) -> None:
        for line in self._lines.values():
            line.close = line.open = line.high = line.low = line.last
            line.volume, line.turnover, line.last_quantity = 0, Decimal(0), 0


def _new_line(instrument: SimInstrument, at: datetime) -> _Line:
    price = instrument.start_price
    interest = 1000 * instrument.lot if instrument.kind.is_derivative else 0
    return _Line(instrument, price, price, price, price, price, at, open_interest=interest)


def _levels(line: _Line, sign: int) -> tuple[DepthLevel, ...]:
    """Make five levels away from the touch, the same ones for the same state always."""
    instrument = line.instrument
    if instrument.kind is InstrumentType.INDEX:
        return ()
    quoted = line.ask if sign > 0 else line.bid
    best = quoted if quoted is not None else line.last + sign * instrument.tick
    shown = line.ask_quantity if sign > 0 else line.bid_quantity
    size = 100 if instrument.segment is Segment.US_EQ else _LEVEL_QUANTITY
    made = [
        DepthLevel(
            price=best + sign * step * instrument.tick,
            quantity=(shown if step == 0 and shown else size * (step + 1) * instrument.lot),
            orders=step + 1,
        )
        for step in range(_LEVELS)
    ]
    return tuple(level for level in made if level.price > 0)
