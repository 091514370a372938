"""The charge rates on file, read by day and kept a minute."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from brokers.terms import Exchange, InstrumentType, Product, Side
from portfolio.charges import ChargeComponent, ChargeGroup, ChargesUnknown, Rate, charge_group
from portfolio.fills import Fill
from portfolio.models import ChargeRate

# Another process learns of a changed rate within this time.
_KEPT_SECONDS = 60
# Where a market's charges are on file under another name. The simulated exchange charges as NSE.
_CHARGED_AS = {Exchange.SIM: Exchange.NSE, Exchange.NFO: Exchange.NSE, Exchange.BFO: Exchange.BSE}
# Without any of these the cost would be told too low.
_REQUIRED = frozenset(ChargeComponent) - {
    ChargeComponent.INVESTOR_PROTECTION,
    ChargeComponent.CLEARING,
}
_REQUIRED_AT_EXERCISE = frozenset({ChargeComponent.STT})


@dataclass(frozen=True, slots=True)
class Tariff:
    """What decides the rates of an order."""

    exchange: str
    instrument_type: InstrumentType
    product: Product
    side: Side
    on: date
    is_settlement: bool = False


def tariff_of(fill: Fill) -> Tariff:
    return Tariff(
        exchange=fill.instrument.exchange,
        instrument_type=InstrumentType(fill.instrument.instrument_type),
        product=fill.product,
        side=fill.side,
        on=fill.session_date,
        is_settlement=fill.is_settlement,
    )


def rates_for(tariff: Tariff) -> Sequence[Rate]:
    """Return the rates of an order, or of what the exchange settles: an exercise is taxed alone.

    :raises ChargesUnknown: where a component has no rate on file for that day.
    """
    group = charge_group(tariff.instrument_type, tariff.product)
    if tariff.is_settlement:
        if group is not ChargeGroup.OPTIONS:
            return ()
        group = ChargeGroup.EXERCISE
    exchange = _CHARGED_AS.get(Exchange(tariff.exchange), Exchange(tariff.exchange))
    freshness = int(time.monotonic() // _KEPT_SECONDS)
    return _read(exchange, group, tariff.side, tariff.on, freshness)


@lru_cache(maxsize=512)
def _read(
    exchange: Exchange, group: ChargeGroup, side: Side, on: date, freshness: int
) -> tuple[Rate, ...]:
    rows = list(
        ChargeRate.objects.filter(
            Q(effective_to=None) | Q(effective_to__gte=on),
            exchange=exchange,
            group=group,
            effective_from__lte=on,
        ).order_by("effective_from")
    )
    required = _REQUIRED_AT_EXERCISE if group is ChargeGroup.EXERCISE else _REQUIRED
    missing = required - {ChargeComponent(row.component) for row in rows}
    if missing:
        raise ChargesUnknown(
            f"No {', '.join(sorted(missing))} rate is on file for {exchange.label} "
            f"{group.lower()} on {on.isoformat()}"
        )
    # Of two rows in force the later one counts, so that a new rate needs no change of the old.
    in_force = {row.component: row for row in rows if row.side in ("", side)}
    return tuple(_rate_of(row) for row in in_force.values())


def _rate_of(row: ChargeRate) -> Rate:
    return Rate(
        component=ChargeComponent(row.component),
        rate=row.rate,
        minimum=row.minimum,
        cap=row.cap,
    )


@receiver([post_save, post_delete], sender=ChargeRate)
def forget_rates(**signal: object) -> None:
    _read.cache_clear()
