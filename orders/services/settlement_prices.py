"""Take in what a person read at the exchange: a final settlement price, or that shares came.

Both are kept for ever with who said so and where it was read.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.permissions import require_active, require_trading_role
from brokers.terms import InstrumentType
from market.models import Instrument, SettlementPrice
from operations.errors import contained
from operations.events import publish
from operations.figures import rupees
from orders.services.expiring import settle_position
from portfolio.models import ExpirySettlement, SettlementState
from portfolio.models.settlements import ExpirySettlementQuerySet

# A price so far from the strike, or from a future's last price, is more likely a slip of the pen.
_FURTHEST = Decimal("1.3")


class SettlementRefused(Exception):
    """Nothing was changed; the words say why."""


class PriceUnlikely(SettlementRefused):
    """The price is far from what the contracts name; it is taken once it is confirmed."""


@dataclass(frozen=True, slots=True)
class ReadPrice:
    """A final price as a person read it; ``is_sure`` takes it although it is far off."""

    price: Decimal
    evidence: str
    by: User
    is_sure: bool = False


def enter_final_price(
    row: ExpirySettlement, read: ReadPrice, *, now: datetime
) -> list[ExpirySettlement]:
    """Keep the final price of what the row's contract is on, and settle all that waits for it.

    It holds for every account of the workspace. Returns what waited, settled or with why not.

    :raises PermissionDenied: when the person may not trade in the workspace, or not now.
    :raises PriceUnlikely: when it is far off and nobody confirmed it.
    :raises SettlementRefused: when it is no price, has no evidence, or one has been entered.
    """
    require_trading_role(read.by, row.workspace)
    require_active(read.by, now=now)
    waiting = list(waiting_with(row))
    _check(row, read, waiting)
    _keep(row, read, now=now)
    for each in waiting:
        _settle(each, now=now)
    return list(_settled(waiting))


def waiting_with(row: ExpirySettlement) -> ExpirySettlementQuerySet:
    """What waits for the same price, in every account of the workspace."""
    contract = row.instrument
    return (
        ExpirySettlement.objects.awaiting_price()
        .filter(
            workspace=row.workspace_id,
            instrument__exchange=contract.exchange,
            instrument__underlying=contract.underlying,
            instrument__expiry=contract.expiry,
        )
        .select_related("account", "instrument")
        .order_by("account__name", "instrument__key", "pk")
    )


@transaction.atomic
def confirm_delivery(row: ExpirySettlement, *, by: User, evidence: str, now: datetime) -> None:
    """Note that the shares have changed hands, or what else became of the delivery; once only.

    :raises PermissionDenied: when the person may not trade in the workspace, or not now.
    :raises SettlementRefused: when nothing is pending, or nothing says where it was read.
    """
    require_trading_role(by, row.workspace)
    require_active(by, now=now)
    if not evidence.strip():
        raise SettlementRefused("Say where you saw it: it is kept with the delivery")
    pending = ExpirySettlement.objects.filter(pk=row.pk, state=SettlementState.DELIVERY_PENDING)
    if not pending.update(
        state=SettlementState.DELIVERED,
        confirmed_by=by,
        confirmed_at=now,
        evidence=evidence.strip(),
    ):
        raise SettlementRefused("No delivery of it is pending")
    publish("positions", workspace_id=row.workspace_id, subject_id=row.account_id, now=now)


def _check(row: ExpirySettlement, read: ReadPrice, waiting: list[ExpirySettlement]) -> None:
    if not waiting:
        raise SettlementRefused("Nothing waits for this price any more")
    if not read.price.is_finite() or read.price <= 0:
        raise SettlementRefused("A final price is above nothing")
    if not read.evidence.strip():
        raise SettlementRefused("Say where you read it: it is kept with the price")
    if read.is_sure:
        return
    for each in waiting:
        known = _likely(each)
        if known and not known / _FURTHEST <= read.price <= known * _FURTHEST:
            raise PriceUnlikely(
                f"{rupees(read.price)} is far from {rupees(known)}, which "
                f"{each.instrument.trading_symbol} names. Read it again, then confirm it"
            )


def _likely(row: ExpirySettlement) -> Decimal | None:
    contract: Instrument = row.instrument
    if InstrumentType(contract.instrument_type).is_option:
        return contract.strike
    return row.position.last_price


def _keep(row: ExpirySettlement, read: ReadPrice, *, now: datetime) -> None:
    contract = row.instrument
    if contract.expiry is None:
        raise SettlementRefused("The contract has no day of expiry")
    try:
        with transaction.atomic():
            SettlementPrice.objects.create(
                workspace_id=row.workspace_id,
                exchange=contract.exchange,
                underlying=contract.underlying,
                expiry=contract.expiry,
                price=read.price,
                evidence=read.evidence.strip(),
                entered_by=read.by,
                entered_at=now,
            )
    except IntegrityError as error:
        raise SettlementRefused("Its final price has been entered already") from error


def _settle(row: ExpirySettlement, *, now: datetime) -> None:
    """Settle one, whatever becomes of the others; the sweep tries again what fails."""
    with contained("settling an expired contract", account_id=row.account_id):
        settle_position(row.position_id, now=now)
        return
    failed = ExpirySettlement.objects.awaiting_price().filter(pk=row.pk)
    failed.update(reason="It could not be settled: the error is on file, and it is tried again")


def _settled(waiting: list[ExpirySettlement]) -> ExpirySettlementQuerySet:
    rows = ExpirySettlement.objects.filter(pk__in=[each.pk for each in waiting])
    return rows.select_related("account", "instrument").order_by("account__name", "pk")
