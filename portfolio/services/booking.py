"""Book a fill: position, day, holding, ledger and session move together or not at all."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from market.calendar import IST
from operations.events import publish
from portfolio.charges import ChargeBreakdown, ChargesUnknown, fill_charges
from portfolio.fills import Fill
from portfolio.models import LedgerName
from portfolio.posting import Voucher, post
from portfolio.rates import rates_for, tariff_of
from portfolio.services.holdings import deliver
from portfolio.services.netting import book_cash
from portfolio.services.positions import Booking, book_day, book_net
from portfolio.services.sessions import (
    Gain,
    add_to_session,
    lock_account,
    open_unrealized,
    start_session,
)
from portfolio.splitting import parts_of

NOTHING = Decimal(0)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Booked:
    """What a fill came to. ``charges_known`` is false where no rate is on file for its day."""

    realized_pnl: Decimal
    charges: ChargeBreakdown
    net_amount: Decimal
    charges_known: bool = True


@transaction.atomic
def book_fill(fill: Fill, *, now: datetime) -> Booked:
    """Book one trade; the caller sees to it that each trade is booked once.

    A trade has happened, so it is booked even where its charges are not known: they are nothing
    then, and the log, the trade and its day say so until :func:`post_charges`.

    :raises IntegrityError: when the trade has been booked before; nothing is changed.
    """
    fill = replace(fill, account=lock_account(fill.account))
    session = start_session(fill.account, session_date=fill.session_date, now=now)
    charges, charges_known = _charges(fill)
    realized = NOTHING
    for part, amount in parts_of(fill, charges.total):
        booking = Booking(fill=part, charges=amount)
        realized += book_net(booking)
        book_day(booking)
    deliver(fill, now=now)
    gross = book_cash(fill)
    post(fill.account, trade_voucher(fill, gross=gross, charges=charges.total), now=now)
    gain = Gain(
        open_unrealized(fill.account),
        realized=realized,
        charges=charges.total,
        uncharged_fills=int(not charges_known),
    )
    add_to_session(session, gain, now=now, is_trade=True)
    for kind in ("positions", "funds"):
        publish(kind, workspace_id=fill.account.workspace_id, subject_id=fill.account.pk, now=now)
    return Booked(realized, charges, gross - charges.total, charges_known)


def trade_voucher(fill: Fill, *, gross: Decimal, charges: Decimal) -> Voucher:
    return Voucher(
        number=str(fill.trade_id),
        entry_date=fill.session_date,
        particulars=(
            f"{fill.side.label} {fill.quantity} {fill.instrument.trading_symbol} "
            f"{fill.product} at {fill.price:.2f}"
        ),
        amounts={
            LedgerName.CASH: gross - charges,
            LedgerName.TRADING: -gross,
            LedgerName.CHARGES: charges,
        },
    )


def post_charges(fill: Fill, charges: Decimal, *, now: datetime) -> None:
    """Post what a trade that was booked without charges is charged after all.

    The caller holds the account's lock, and brings positions and sessions up to date.

    :raises IntegrityError: when that has been done before; nothing is changed.
    """
    voucher = Voucher(
        number=f"{fill.trade_id}:charges",
        entry_date=now.astimezone(IST).date(),
        particulars=(
            f"Charges of {fill.side.label} {fill.quantity} {fill.instrument.trading_symbol} "
            f"on {fill.session_date:%d %b %Y}"
        ),
        amounts={LedgerName.CASH: -charges, LedgerName.CHARGES: charges},
    )
    post(fill.account, voucher, now=now)


def _charges(fill: Fill) -> tuple[ChargeBreakdown, bool]:
    if fill.is_adjustment:
        return ChargeBreakdown(), False
    try:
        rates = rates_for(tariff_of(fill))
    except ChargesUnknown as error:
        logger.error("Trade %s is booked without charges: %s", fill.trade_id, error)
        return ChargeBreakdown(), False
    value = fill.price * fill.quantity
    return fill_charges(rates, value_before=fill.value_before, value=value), True
