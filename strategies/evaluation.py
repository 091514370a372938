"""From closed candles to the activations that wait for them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from brokers.models import TradingAccount
from market.building import ClosedBar
from market.models import Instrument, Interval
from market.store import read_candles
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.models import ErrorLog
from strategies.catalogue import UnknownAlgorithm
from strategies.due import candle_of, closes_at, latest_closed
from strategies.history import BarHistory
from strategies.models import (
    ActivationStatus,
    CandleEvaluation,
    Signal,
    UserStrategy,
    UserStrategyQuerySet,
)
from strategies.parameters import ParametersInvalid
from strategies.services.evaluating import STORED, DueCandle, evaluate_candles
from strategies.services.ordering import place_signal_orders

# How far back candles that were missed are looked for, to be written down as missed.
_CATCH_UP = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Whose activations are judged and from which history.

    Without ``accounts``: all that live by the house's clock; their orders are a worker's work.
    A replay names its accounts, and their orders are placed at once, by the replay's clock. It
    may name their activations, too: each is read again, under its lock, when it is judged.
    """

    accounts: tuple[TradingAccount, ...] | None = None
    history: BarHistory = STORED
    activations: tuple[UserStrategy, ...] | None = None

    def on_candles_closed(self, closed: Sequence[ClosedBar], *, now: datetime) -> list[Signal]:
        """Judge every activation that waits for one of these candles."""
        signals = []
        for activation, due in self._waiting(closed):
            signals += self._evaluate(activation, due, now=now)
        if self.accounts is not None and signals:
            place_signal_orders(now, accounts=self.accounts)
        return signals

    def evaluate_latest(self, *, now: datetime) -> list[Signal]:
        """Judge the newest closed candles, and write down those that were missed."""
        signals = []
        for activation in self._activations():
            due = [
                candle
                for instrument in activation.instruments.all()
                for candle in _unjudged_candles(activation, instrument, now=now)
            ]
            signals += self._evaluate(activation, due, now=now)
        return signals

    def _activations(self) -> UserStrategyQuerySet:
        running = UserStrategy.objects.running().select_related("strategy")
        if self.accounts is None:
            running = running.filter(account__own_clock=False)
        else:
            running = running.filter(account__in=self.accounts)
        return running.prefetch_related("instruments").order_by("strategy__slug", "pk")

    def _waiting(
        self, closed: Sequence[ClosedBar]
    ) -> Iterable[tuple[UserStrategy, list[DueCandle]]]:
        for activation in self.activations or self._activations():
            instruments = {each.key: each for each in activation.instruments.all()}
            due = [
                candle
                for each in closed
                if each.key in instruments
                for candle in _closed_with(each, instruments[each.key], activation)
            ]
            if due:
                yield activation, due

    def _evaluate(
        self, activation: UserStrategy, due: Collection[DueCandle], *, now: datetime
    ) -> list[Signal]:
        try:
            return evaluate_candles(activation, due=due, now=now, history=self.history)
        except (UnknownAlgorithm, ParametersInvalid) as error:
            _pause_broken(activation, error, now=now)
            return []


HOUSE = Evaluator()


def on_candles_closed(
    closed: Sequence[ClosedBar], *, now: datetime, evaluator: Evaluator = HOUSE
) -> list[Signal]:
    """Judge every activation that waits for one of these candles; what the pipeline calls."""
    return evaluator.on_candles_closed(closed, now=now) if closed else []


def _closed_with(
    closed: ClosedBar, instrument: Instrument, activation: UserStrategy
) -> Iterable[DueCandle]:
    """The activation's candle that closed together with this bar, which may be a shorter one."""
    interval = Interval(activation.interval)
    if interval.length < closed.interval.length:
        return
    candle_at = candle_of(instrument, interval, closed.bar.at)
    end = closes_at(instrument, closed.interval, closed.bar.at)
    if closes_at(instrument, interval, candle_at) == end:
        yield DueCandle(instrument, candle_at)


def _unjudged_candles(
    activation: UserStrategy, instrument: Instrument, *, now: datetime
) -> Iterable[DueCandle]:
    """The stored candles since the last one that was judged, up to the newest that has closed."""
    interval = Interval(activation.interval)
    newest = latest_closed(instrument, interval, now)
    judged = CandleEvaluation.objects.filter(
        user_strategy=activation, instrument=instrument, candle_at__gte=now - _CATCH_UP
    )
    last = judged.order_by("-candle_at").values_list("candle_at", flat=True).first()
    since = max(last or activation.activated_at, activation.activated_at, now - _CATCH_UP)
    if last == newest or newest < since:
        return
    for bar in read_candles(instrument, interval, start=since, end=newest + interval.length):
        if bar.at > since:
            yield DueCandle(instrument, bar.at)


def _pause_broken(activation: UserStrategy, error: Exception, *, now: datetime) -> None:
    """A strategy that cannot be run is paused, and its owner told; the others go on."""
    paused = UserStrategy.objects.filter(pk=activation.pk, status=ActivationStatus.ACTIVE).update(
        status=ActivationStatus.PAUSED, updated_at=now
    )
    if not paused:
        return
    ErrorLog.objects.create(
        error_type=type(error).__name__,
        message=str(error),
        context={"user_strategy": str(activation.pk)},
        related_account_id=activation.account_id,
    )
    notify(
        activation.user,
        kind=NotificationType.SYSTEM_ERROR,
        level=AlertLevel.ERROR,
        title=f"{activation.strategy} was paused",
        message=f"It cannot be run with its settings: {error}",
        now=now,
        workspace=activation.workspace,
        data={"user_strategy": str(activation.pk)},
    )
