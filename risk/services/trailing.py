"""Trailing stops: how far each position's price is from the best it has seen."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from brokers.models import TradingAccount
from portfolio.models import Position
from risk.models import PositionExtreme, PositionStop, RiskRule, ViolationAction
from risk.rules import Finding, trailing_stop
from risk.services.recording import CONFIRMATIONS, record_violation

_LAST_DECIMAL = Decimal("0.0001")


def trailed_beyond(
    rule: RiskRule, account: TradingAccount, *, now: datetime
) -> Iterator[tuple[Position, Finding]]:
    """Move each position's best price; yield those whose stop is confirmed, until it is closed.

    It is asked for again and again, for an exit may be refused; recorded once.
    """
    positions = Position.objects.filter(account=account).open().exclude(last_price=None)
    if rule.user_strategy_id is not None:
        positions = positions.filter(user_strategy=rule.user_strategy_id)
    stops = {
        stop.position_id: stop
        for stop in PositionStop.objects.filter(rule=rule, position__in=positions)
    }
    for position in positions.select_related("instrument", "extreme"):
        stop = stops.get(position.pk) or PositionStop(position=position, rule=rule)
        was_confirmed = stop.confirmations >= CONFIRMATIONS
        finding = _finding(rule, position, best=_best_price(position))
        _count(stop, position, finding)
        if stop.confirmations < CONFIRMATIONS:
            continue
        if not was_confirmed:
            action = ViolationAction.POSITION_EXITED
            record_violation(
                rule, account, finding=finding, action=action, now=now, position=position
            )
        yield position, finding


def _best_price(position: Position) -> Decimal:
    """The best price since the entry, with the price of now; written where it has moved."""
    price, sign = position.last_price or Decimal(0), 1 if position.quantity > 0 else -1
    extreme: PositionExtreme | None = getattr(position, "extreme", None)
    known = extreme.best_price if extreme else position.average_price.quantize(_LAST_DECIMAL)
    best = max(known * sign, price * sign) * sign
    if extreme is None or best != known:
        PositionExtreme.objects.update_or_create(position=position, defaults={"best_price": best})
    return best


def _finding(rule: RiskRule, position: Position, *, best: Decimal) -> Finding:
    price, sign = position.last_price or Decimal(0), 1 if position.quantity > 0 else -1
    return trailing_stop(rule.rule_value, best=best, price=price, sign=sign)


def _count(stop: PositionStop, position: Position, finding: Finding) -> None:
    """Count prices, not looks: one bad tick is one, however often it is looked at."""
    mark = (position.last_price, position.marked_at)
    if not finding.is_beyond:
        counted = 0
    elif mark == (stop.price, stop.priced_at):
        return
    else:
        counted = min(stop.confirmations + 1, CONFIRMATIONS)
    # A stop that is far away, or confirmed for good, is not written at every price.
    if counted == stop.confirmations:
        return
    stop.confirmations, (stop.price, stop.priced_at) = counted, mark
    stop.save()
