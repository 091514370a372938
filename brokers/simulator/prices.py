"""Prices that move: a seeded random walk for every instrument, a tick a second each."""

import threading
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from brokers.simulator.candles import noise
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.instruments import SimInstrument, option_value
from brokers.terms import InstrumentType
from brokers.venue import IST

_STEP = Decimal("0.0006")
_PULL = Decimal("0.01")
_VOLUME = 2_000
_QUOTED = 1_000


@dataclass(frozen=True, slots=True)
class PriceStep:
    """One step of one instrument's walk."""

    price: Decimal
    volume: int
    bid: Decimal
    ask: Decimal
    bid_quantity: int
    ask_quantity: int


class PriceWalk:
    """Where prices go next: the same way for the same seed. Options follow their underlying."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        self._count: dict[str, int] = {}

    def next(self, instrument: SimInstrument) -> PriceStep:
        number = self._count[instrument.token] = self._count.get(instrument.token, 0) + 1
        parts = (self._broker.seed, instrument.token, number)
        price = self._priced(instrument, parts)
        size = instrument.lot * (1 if instrument.kind.is_derivative else 10)
        share = 1 + noise(*parts, "volume")
        return PriceStep(
            price=price,
            volume=int(share * _VOLUME / 2) * size + size,
            bid=max(price - instrument.tick, instrument.tick),
            ask=price + instrument.tick,
            bid_quantity=_QUOTED * size,
            ask_quantity=_QUOTED * size,
        )

    def step(self) -> None:
        """Move every instrument once, underlyings first."""
        for instrument in sorted(self._broker.instruments(), key=lambda each: each.underlying):
            step = self.next(instrument)
            self._broker.tick(
                instrument.token,
                step.price,
                volume=step.volume,
                bid=step.bid,
                ask=step.ask,
                bid_quantity=step.bid_quantity,
                ask_quantity=step.ask_quantity,
            )

    def _priced(self, instrument: SimInstrument, parts: tuple[object, ...]) -> Decimal:
        if instrument.underlying:
            return _on_tick(self._worth(instrument), instrument)
        last = self._broker.quote(instrument.token).last_price
        home = (instrument.start_price - last) * _PULL
        return _on_tick(last + home + last * _STEP * noise(*parts), instrument)

    def _worth(self, instrument: SimInstrument) -> Decimal:
        spot = self._broker.quote(instrument.underlying).last_price
        if instrument.strike is None or instrument.expiry is None:
            underlying = self._broker.instrument(instrument.underlying)
            return spot + instrument.start_price - underlying.start_price
        today = self._broker.clock().astimezone(IST).date()
        return option_value(
            spot=spot,
            strike=instrument.strike,
            is_call=instrument.kind is InstrumentType.CE,
            days=max((instrument.expiry - today).days, 0),
        )


class PriceFeed:
    """Moves a broker's prices in a thread of its own: ``rate`` ticks a second each."""

    def __init__(self, broker: SimulatedBroker, *, rate: float = 1.0) -> None:
        self._walk = PriceWalk(broker)
        self._pause = 1 / rate
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="brokersim-prices")
            self._thread.start()

    def stop(self) -> None:
        """Stop moving prices and wait for the thread's end; harmless when not started."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            self._walk.step()


def _on_tick(price: Decimal, instrument: SimInstrument) -> Decimal:
    ticks = (price / instrument.tick).to_integral_value(ROUND_HALF_EVEN)
    return max(ticks, Decimal(1)) * instrument.tick
