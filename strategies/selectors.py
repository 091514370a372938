"""Reads for the pages of strategies: what runs, what it made, what it decided."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, F, Max, Q, QuerySet, Sum

from accounts.models import User, Workspace
from market.quotes import quotes_of
from orders.models import Order, Trade
from portfolio.board import price_of
from portfolio.models import Position
from portfolio.selectors import CurvePoint
from portfolio.shown_days import ShownDays, shown_days
from strategies.catalogue import UnknownAlgorithm, parameters_of
from strategies.models import (
    NOT_TAKEN,
    CandleEvaluation,
    Signal,
    SignalStatus,
    Strategy,
    UserStrategy,
    UserStrategyQuerySet,
)
from strategies.parameters import Kind, Parameter

ZERO = Decimal(0)
_AFTER_CHARGES = Sum(
    F("realized_pnl")
    - F("brokerage")
    - F("exchange_charges")
    - F("clearing_charges")
    - F("sebi_fee")
    - F("stt")
    - F("stamp_duty")
    - F("gst")
)


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position of a strategy at the last price; ``unrealized`` is None while none is known."""

    position: Position
    last_price: Decimal | None
    unrealized: Decimal | None


@dataclass(frozen=True, slots=True)
class ActivationRow:
    """A running strategy as its row shows it, on the day that pages speak of.

    ``of_day`` is after charges, open profit included.
    """

    activation: UserStrategy
    of_day: Decimal
    unrealized: Decimal
    open_positions: int
    signals: int
    last_signal_at: datetime | None


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A setting in words, with what it is set to and between which limits it may be."""

    words: str
    value: str
    limits: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class SignalCounts:
    """``not_taken`` counts decisions that never became a signal, as too near the square-off."""

    total: int
    ordered: int
    refused: int
    not_taken: int


def activations_on_page(user: User, workspace: Workspace) -> UserStrategyQuerySet:
    """Activations that the person may see here, with all that a row shows."""
    visible = UserStrategy.objects.visible_to(user).filter(workspace=workspace)
    return visible.select_related("strategy", "account__connection", "user")


def catalogue_of(workspace: Workspace) -> QuerySet[Strategy]:
    """Strategies that can be switched on here, with how many of each run."""
    running = Q(activations__workspace=workspace) & ~Q(activations__status="STOPPED")
    return Strategy.objects.available_in(workspace).annotate(
        running=Count("activations", filter=running, distinct=True)
    )


def days_of(activations: Iterable[UserStrategy], *, now: datetime) -> ShownDays:
    """Find the day that pages speak of: today, without a query, where no replay is among them."""
    accounts = {each.account for each in activations}
    is_today = not any(account.own_clock for account in accounts)
    return shown_days(accounts, now=now, sessions=() if is_today else None)


def activation_rows(activations: Sequence[UserStrategy], *, days: ShownDays) -> list[ActivationRow]:
    """Work out the day's result of each activation, in a fixed number of queries."""
    booked = _booked_on(days, activations)
    opened = _open_by_activation(activations)
    signals = _signals_on(days, activations)
    return [
        _row(each, booked=booked, opened=opened.get(each.pk, []), signals=signals)
        for each in activations
    ]


def open_positions_of(activation: UserStrategy) -> list[OpenPosition]:
    return _open_by_activation([activation]).get(activation.pk, [])


def signal_counts(activation: UserStrategy) -> SignalCounts:
    counts = activation.signals.aggregate(
        total=Count("pk"),
        ordered=Count("pk", filter=Q(status=SignalStatus.ORDERED)),
        refused=Count("pk", filter=Q(status__in=[SignalStatus.REFUSED, SignalStatus.EXPIRED])),
    )
    return SignalCounts(**counts, not_taken=decisions_not_taken(activation).count())


def decisions_not_taken(activation: UserStrategy) -> QuerySet[CandleEvaluation]:
    """The candles on which it wanted to trade and could not, newest first."""
    return activation.evaluations.filter(note__contains=NOT_TAKEN).order_by("-candle_at")


def recent_orders(activation: UserStrategy, limit: int = 20) -> list[Order]:
    orders = activation.orders.select_related("instrument", "account__connection")
    return list(orders.order_by("-created_at", "-pk")[:limit])


def profit_curve(activation: UserStrategy, limit: int = 500) -> list[CurvePoint]:
    """Return booked profit after charges, added up trade by trade, over the last trades."""
    trades = Trade.objects.filter(order__user_strategy=activation).order_by("-traded_at", "-pk")
    points: list[CurvePoint] = []
    total = ZERO
    for trade in reversed(trades[:limit]):
        if not points:
            points.append(CurvePoint(trade.traded_at, ZERO))
        total += trade.realized_pnl - trade.charges
        points.append(CurvePoint(trade.traded_at, total))
    return points


def parameter_rows(strategy: Strategy, own: UserStrategy | None = None) -> list[ParameterRow]:
    """List the strategy's settings; with an activation, as that one has set them."""
    values = {**strategy.parameters, **(own.custom_parameters if own else {})}
    changed = own.custom_parameters if own else {}
    return [
        ParameterRow(
            words=parameter.words,
            value=_shown(parameter, values.get(parameter.name, parameter.default)),
            limits=parameter.limits,
            is_own=parameter.name in changed,
        )
        for parameter in declared(strategy)
    ]


def declared(strategy: Strategy) -> tuple[Parameter, ...]:
    """List what can be set; nothing where this version has no code for the strategy."""
    try:
        return parameters_of(strategy.algorithm)
    except UnknownAlgorithm:
        return ()


def _shown(parameter: Parameter, value: object) -> str:
    if parameter.kind is Kind.YES_NO:
        return "Yes" if value else "No"
    return dict(parameter.choices).get(str(value), str(value))


_Profits = dict[uuid.UUID, Decimal]


def _booked_on(days: ShownDays, activations: Collection[UserStrategy]) -> _Profits:
    trades = Trade.objects.filter(days.rows(), order__user_strategy__in=activations)
    rows = trades.order_by().values_list("order__user_strategy_id")
    return dict(rows.annotate(profit=_AFTER_CHARGES))


def _open_by_activation(
    activations: Collection[UserStrategy],
) -> dict[uuid.UUID, list[OpenPosition]]:
    positions = list(
        Position.objects.open()
        .filter(user_strategy__in=activations)
        .select_related("instrument", "account")
        .order_by("instrument__key")
    )
    quotes = quotes_of({position.instrument.key for position in positions})
    found: dict[uuid.UUID, list[OpenPosition]] = {}
    for position in positions:
        price = price_of(position, quotes)
        unrealized = None if price is None else position.unrealized_at(price)
        if position.user_strategy_id:
            rows = found.setdefault(position.user_strategy_id, [])
            rows.append(OpenPosition(position, price, unrealized))
    return found


def _signals_on(
    days: ShownDays, activations: Collection[UserStrategy]
) -> dict[uuid.UUID, tuple[int, datetime]]:
    of_day = days.moments("created_at", account="user_strategy__account")
    signals = Signal.objects.filter(of_day, user_strategy__in=activations)
    rows = signals.order_by().values_list("user_strategy_id")
    counted = rows.annotate(count=Count("pk"), latest=Max("created_at"))
    return {key: (count, latest) for key, count, latest in counted}


def _row(
    activation: UserStrategy,
    *,
    booked: _Profits,
    opened: list[OpenPosition],
    signals: dict[uuid.UUID, tuple[int, datetime]],
) -> ActivationRow:
    unrealized = sum((each.unrealized or ZERO for each in opened), ZERO)
    count, latest = signals.get(activation.pk, (0, None))
    return ActivationRow(
        activation=activation,
        of_day=booked.get(activation.pk, ZERO) + unrealized,
        unrealized=unrealized,
        open_positions=len(opened),
        signals=count,
        last_signal_at=latest,
    )
