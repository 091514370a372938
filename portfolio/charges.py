"""What trading costs in India, worked out from dated rates. Estimates: the contract note is final.

An order's charges are those of its whole turnover, each component rounded to the paisa once; a
fill is charged the increment. So an order filled in ten parts costs what it costs filled in one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from brokers.terms import InstrumentType, Product
from brokers.venue import ChargesUnknown

__all__ = [
    "ChargeBreakdown",
    "ChargeComponent",
    "ChargeGroup",
    "ChargesUnknown",
    "Rate",
    "charge_group",
    "exact_charges",
    "fill_charges",
    "order_charges",
    "pays_full_value",
]

NOTHING = Decimal(0)
PAISA = Decimal("0.01")


class ChargeComponent(StrEnum):
    BROKERAGE = "BROKERAGE"
    STT = "STT"
    EXCHANGE = "EXCHANGE"
    INVESTOR_PROTECTION = "IPFT"
    CLEARING = "CLEARING"
    SEBI = "SEBI"
    STAMP = "STAMP"
    GST = "GST"


class ChargeGroup(StrEnum):
    """What is charged alike."""

    DELIVERY = "DELIVERY"
    INTRADAY = "INTRADAY"
    FUTURES = "FUTURES"
    OPTIONS = "OPTIONS"
    EXERCISE = "EXERCISE"


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the turnover (of the fees, for GST), held between a minimum and a cap."""

    component: ChargeComponent
    rate: Decimal
    minimum: Decimal = NOTHING
    cap: Decimal | None = None

    def on(self, base: Decimal) -> Decimal:
        amount = max(base * self.rate, self.minimum) if base else NOTHING
        return amount if self.cap is None else min(amount, self.cap)


@dataclass(frozen=True, slots=True)
class ChargeBreakdown:
    """Charges by component; the exchange's own include investor protection."""

    brokerage: Decimal = NOTHING
    exchange_charges: Decimal = NOTHING
    clearing_charges: Decimal = NOTHING
    sebi_fee: Decimal = NOTHING
    stt: Decimal = NOTHING
    stamp_duty: Decimal = NOTHING
    gst: Decimal = NOTHING

    @property
    def total(self) -> Decimal:
        return sum((getattr(self, part.name) for part in fields(self)), NOTHING)

    def rounded(self) -> "ChargeBreakdown":
        """Return it to the paisa, half up, component by component."""
        return ChargeBreakdown(
            **{
                part.name: getattr(self, part.name).quantize(PAISA, rounding=ROUND_HALF_UP)
                for part in fields(self)
            }
        )

    def __sub__(self, other: "ChargeBreakdown") -> "ChargeBreakdown":
        return ChargeBreakdown(
            **{
                part.name: getattr(self, part.name) - getattr(other, part.name)
                for part in fields(self)
            }
        )


def exact_charges(turnover: Decimal, rates: Iterable[Rate]) -> ChargeBreakdown:
    """Return the unrounded charges on a turnover. GST is on brokerage, exchange and SEBI fees."""
    amounts = dict.fromkeys(ChargeComponent, NOTHING)
    gst_rates = []
    for rate in rates:
        if rate.component is ChargeComponent.GST:
            gst_rates.append(rate)
        else:
            amounts[rate.component] += rate.on(turnover)
    part = ChargeComponent
    exchange = amounts[part.EXCHANGE] + amounts[part.INVESTOR_PROTECTION]
    fees = amounts[part.BROKERAGE] + exchange + amounts[part.CLEARING] + amounts[part.SEBI]
    return ChargeBreakdown(
        brokerage=amounts[part.BROKERAGE],
        exchange_charges=exchange,
        clearing_charges=amounts[part.CLEARING],
        sebi_fee=amounts[part.SEBI],
        stt=amounts[part.STT],
        stamp_duty=amounts[part.STAMP],
        gst=sum((rate.on(fees) for rate in gst_rates), NOTHING),
    )


def order_charges(turnover: Decimal, rates: Iterable[Rate]) -> ChargeBreakdown:
    """Return the charges on an order's whole turnover, each component to the paisa."""
    return exact_charges(turnover, rates).rounded()


def fill_charges(
    rates: Iterable[Rate], *, value_before: Decimal, value: Decimal
) -> ChargeBreakdown:
    """Return what one more fill adds to its order's charges."""
    rates = tuple(rates)
    return order_charges(value_before + value, rates) - order_charges(value_before, rates)


def charge_group(instrument_type: InstrumentType, product: Product) -> ChargeGroup:
    """:raises ChargesUnknown: for what cannot be traded, such as an index."""
    if instrument_type.is_option:
        return ChargeGroup.OPTIONS
    if instrument_type is InstrumentType.FUT:
        return ChargeGroup.FUTURES
    if instrument_type is InstrumentType.INDEX:
        raise ChargesUnknown("An index is not traded and has no charges")
    if product in (Product.MIS, Product.CO, Product.BO):
        return ChargeGroup.INTRADAY
    return ChargeGroup.DELIVERY


def pays_full_value(instrument_type: InstrumentType, product: Product) -> bool:
    """Tell whether a trade moves its whole value in cash: delivery and option premium do.

    Intraday shares and futures block margin and move what they realise.
    """
    return instrument_type.is_option or (
        instrument_type is InstrumentType.EQ
        and charge_group(instrument_type, product) is ChargeGroup.DELIVERY
    )
