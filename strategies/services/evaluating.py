"""Judge closed candles, each exactly once.

The claim, the signal and the news of it are one transaction: whatever dies, either the candle has
been judged and its signal stands recorded, or it has not been judged at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from django.db import transaction
from django.db.models import Sum

from brokers.terms import Product
from market.bars import Bar
from market.models import Instrument, Interval
from operations.events import publish
from orders.models import Order
from portfolio.models import Position
from strategies.algorithms.algorithm import Algorithm, Decision, Lookback, leave
from strategies.catalogue import build_algorithm
from strategies.due import closes_at, fresh_until
from strategies.history import BarHistory, Span, StoredBars
from strategies.hours import IntradayClock
from strategies.models import NOT_TAKEN, CandleEvaluation, Signal, SignalStatus, UserStrategy
from strategies.nudging import nudge_signals
from strategies.sizing import entry_quantity, share_of

STORED = StoredBars()
_MISSED = "Missed: it came too late to trade on"
_BUSY = "An earlier order of this strategy was not finished"


@dataclass(frozen=True, slots=True)
class DueCandle:
    """A candle to judge, named by the moment it opened."""

    instrument: Instrument
    at: datetime


Windows = Mapping[DueCandle, Sequence[Bar]]


def evaluate_candle(
    user_strategy: UserStrategy, *, instrument: Instrument, candle_at: datetime, now: datetime
) -> Signal | None:
    """Judge one closed candle; None when it gives no signal, or was judged before.

    :raises UnknownAlgorithm: when the strategy's code is not in this version.
    :raises ParametersInvalid: when its settings no longer fit that code.
    """
    due = [DueCandle(instrument, candle_at)]
    signals = evaluate_candles(user_strategy, due=due, now=now)
    return signals[0] if signals else None


def evaluate_candles(
    user_strategy: UserStrategy,
    *,
    due: Iterable[DueCandle],
    now: datetime,
    history: BarHistory = STORED,
) -> list[Signal]:
    """Judge the closed candles among ``due`` that nobody has judged, and record their signals.

    A candle that the store does not have, or that is still open, stays unjudged.

    :raises UnknownAlgorithm: when the strategy's code is not in this version.
    :raises ParametersInvalid: when its settings no longer fit that code.
    """
    algorithm = build_algorithm(user_strategy.strategy.algorithm, user_strategy.parameters)
    interval = Interval(user_strategy.interval)
    closed = [each for each in due if closes_at(each.instrument, interval, each.at) <= now]
    windows = _windows(closed, interval, algorithm.lookback, history)
    if not windows:
        return []
    return _judge(user_strategy, algorithm, windows, now=now)


def _unjudged(user_strategy: UserStrategy, due: Sequence[DueCandle]) -> list[DueCandle]:
    judged = set(
        CandleEvaluation.objects.filter(
            user_strategy=user_strategy,
            instrument__in={each.instrument.pk for each in due},
            candle_at__in={each.at for each in due},
        ).values_list("instrument_id", "candle_at")
    )
    return [each for each in due if (each.instrument.pk, each.at) not in judged]


def _windows(
    due: Iterable[DueCandle], interval: Interval, lookback: Lookback, history: BarHistory
) -> Windows:
    windows = {
        each: history.window(each.instrument, Span(interval, each.at, lookback)) for each in due
    }
    return {each: bars for each, bars in windows.items() if bars and bars[-1].at == each.at}


@transaction.atomic
def _judge(
    user_strategy: UserStrategy, algorithm: Algorithm, windows: Windows, *, now: datetime
) -> list[Signal]:
    # Two evaluators of one activation wait for each other here; so does a pause, or a stop.
    activation = UserStrategy.objects.select_for_update(no_key=True).get(pk=user_strategy.pk)
    if not activation.is_active:
        return []
    unjudged = _unjudged(activation, list(windows))
    instruments = len(user_strategy.instruments.all())
    share = share_of(activation.allocation_amount, instruments=max(instruments, 1))
    bench = _Bench.of(activation, algorithm, unjudged, share=share, now=now)
    rulings = [bench.rule(each, windows[each]) for each in unjudged]
    CandleEvaluation.objects.bulk_create(ruling.evaluation for ruling in rulings)
    signals = Signal.objects.bulk_create(ruling.signal for ruling in rulings if ruling.signal)
    if signals:
        _tell(activation, now=now)
    return signals


@dataclass(frozen=True, slots=True)
class _Ruling:
    evaluation: CandleEvaluation
    signal: Signal | None


@dataclass(frozen=True, slots=True)
class _Bench:
    """Everything that one activation's decisions rest on, read under its lock."""

    activation: UserStrategy
    algorithm: Algorithm
    positions: Mapping[int, int]
    busy: frozenset[int]
    share: Decimal
    now: datetime

    @classmethod
    def of(
        cls,
        activation: UserStrategy,
        algorithm: Algorithm,
        due: Sequence[DueCandle],
        *,
        share: Decimal,
        now: datetime,
    ) -> Self:
        wanted = {each.instrument.pk for each in due}
        return cls(
            activation=activation,
            algorithm=algorithm,
            positions=held_quantities(activation, wanted),
            busy=_busy(activation, wanted),
            share=share,
            now=now,
        )

    def rule(self, candle: DueCandle, bars: Sequence[Bar]) -> _Ruling:
        signal, note = self._weigh(candle, bars)
        evaluation = CandleEvaluation(
            user_strategy=self.activation,
            instrument=candle.instrument,
            candle_at=candle.at,
            evaluated_at=self.now,
            note=note[:200],
        )
        return _Ruling(evaluation, signal)

    def _weigh(self, candle: DueCandle, bars: Sequence[Bar]) -> tuple[Signal | None, str]:
        interval = Interval(self.activation.interval)
        if self.now >= fresh_until(candle.instrument, interval, candle.at):
            return None, _MISSED
        if candle.instrument.pk in self.busy:
            return None, _BUSY
        clock = IntradayClock(
            candle.instrument, Product(self.activation.product), interval, self.now
        )
        if missing := self._candles_missing(candle, bars):
            return None, f"{missing} more candles are needed before an entry is judged"
        decision = self._decide(candle, bars, clock)
        if decision is None:
            return None, ""
        if obstacle := clock.obstacle(decision):
            return None, f"{decision.side} {NOT_TAKEN} {obstacle}"
        return self._signal(candle, bars[-1], decision)

    def _candles_missing(self, candle: DueCandle, bars: Sequence[Bar]) -> int:
        """Count what an indicator needs to settle; an exit does not wait for it."""
        if self.positions.get(candle.instrument.pk, 0):
            return 0
        return max(self.algorithm.lookback.bars - len(bars), 0)

    def _decide(
        self, candle: DueCandle, bars: Sequence[Bar], clock: IntradayClock
    ) -> Decision | None:
        position = self.positions.get(candle.instrument.pk, 0)
        if position and clock.is_last_candle:
            return leave(position, "The last candle before the intraday square-off")
        return self.algorithm.decide(bars, position)

    def _signal(self, candle: DueCandle, bar: Bar, decision: Decision) -> tuple[Signal | None, str]:
        quantity = self._quantity(candle, bar, decision)
        if not quantity:
            obstacle = f"the share does not buy one lot at {bar.close}"
            return None, f"{decision.side} {NOT_TAKEN} {obstacle}"
        interval = Interval(self.activation.interval)
        return (
            Signal(
                user_strategy=self.activation,
                instrument=candle.instrument,
                signal_type=decision.side,
                price=bar.close,
                quantity=quantity,
                is_exit=decision.is_exit,
                candle_at=candle.at,
                reason=decision.reason[:300],
                expires_at=fresh_until(candle.instrument, interval, candle.at),
                created_at=self.now,
            ),
            "",
        )

    def _quantity(self, candle: DueCandle, bar: Bar, decision: Decision) -> int:
        if decision.is_exit:
            return abs(self.positions[candle.instrument.pk])
        return entry_quantity(candle.instrument, share=self.share, price=bar.close, at=self.now)


def held_quantities(activation: UserStrategy, instruments: Iterable[int]) -> dict[int, int]:
    """Return the signed quantity the activation holds of each instrument, by instrument id."""
    held = (
        Position.objects.open()
        .filter(
            account=activation.account_id,
            user_strategy=activation,
            product=activation.product,
            instrument__in=instruments,
        )
        .order_by()
        .values_list("instrument_id")
        .annotate(held=Sum("quantity"))
    )
    return dict(held)


def _busy(activation: UserStrategy, instruments: Iterable[int]) -> frozenset[int]:
    """The instruments with an order under way, or about to be: one thing at a time."""
    mine = {"user_strategy": activation, "instrument__in": instruments}
    ordered = Order.objects.alive().filter(**mine).values_list("instrument_id", flat=True)
    waiting = Signal.objects.filter(status=SignalStatus.RECORDED, **mine)
    return frozenset(ordered.union(waiting.values_list("instrument_id", flat=True)))


def _tell(activation: UserStrategy, *, now: datetime) -> None:
    publish("signals", workspace_id=activation.workspace_id, subject_id=activation.pk, now=now)
    # Its owner hears of a signal from what becomes of its order, once.
    if not activation.account.own_clock:
        nudge_signals()
