"""Book fills: position, day, holding, ledger and session move together or not at all."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from operations.events import publish
from portfolio.charges import ChargeBreakdown, ChargesUnknown, fill_charges
from portfolio.fills import Fill
from portfolio.models import LedgerName
from portfolio.posting import Voucher, post, post_all
from portfolio.rates import rates_for, tariff_of
from portfolio.services.holdings import deliver, holding_of, save_holding
from portfolio.services.netting import move_cash, netted_position
from portfolio.services.positions import Booking, Positions
from portfolio.services.sessions import (
    Gain,
    carry_into_later,
    lock_account,
    save_session,
    start_session,
    take_gain,
    unrealized_in,
)
from portfolio.splitting import parts_of
from portfolio.trading_days import account_day

NOTHING = Decimal(0)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Booked:
    """What a fill came to. ``charges_known`` is false where no rate is on file for its day."""

    realized_pnl: Decimal
    charges: ChargeBreakdown
    net_amount: Decimal
    charges_known: bool = True


class Sitting:
    """Fills of one order, product and day, booked one after the other, written all at once.

    What they change is read once, and nothing is written before :meth:`write`. The caller holds
    the account's lock from before the first fill until the transaction ends, and sees to it that
    each trade is booked once.
    """

    def __init__(self, first: Fill, *, now: datetime) -> None:
        self._account, self._now = first.account, now
        self._session = start_session(first.account, session_date=first.session_date, now=now)
        self._unrealized = unrealized_in(self._session)
        self.positions = Positions(first)
        self._holding = holding_of(first)
        self._netted = netted_position(first)
        self._vouchers: list[Voucher] = []

    def book(self, fill: Fill) -> Booked:
        """Book the next fill in memory.

        A trade has happened, so it is booked even where its charges are not known: they are nothing
        then, and the log, the trade and its day say so until :func:`post_charges`.
        """
        charges, charges_known = _charges(fill)
        realized = NOTHING
        for part, amount in parts_of(fill, charges.total):
            realized += self.positions.book(Booking(fill=part, charges=amount))
        if self._holding is not None:
            deliver(self._holding, fill, now=self._now)
        gross = move_cash(self._netted, fill)
        self._vouchers.append(trade_voucher(fill, gross=gross, charges=charges.total))
        gain = Gain(
            self._unrealized + self.positions.gained,
            realized=realized,
            charges=charges.total,
            uncharged_fills=int(not charges_known),
        )
        take_gain(self._session, gain)
        return Booked(realized, charges, gross - charges.total, charges_known)

    def write(self) -> None:
        """Write what the fills came to.

        :raises IntegrityError: when one of them has been booked before.
        """
        self.positions.write()
        if self._holding is not None:
            save_holding(self._holding)
        if self._netted is not None:
            self._netted.save(update_fields=["quantity", "open_cost"])
        post_all(self._account, self._vouchers, now=self._now)
        save_session(self._session, now=self._now, is_trade=True)
        carry_into_later(self._session, self.positions.gained)
        workspace_id, account_id = self._account.workspace_id, self._account.pk
        for kind in ("positions", "funds"):
            publish(kind, workspace_id=workspace_id, subject_id=account_id, now=self._now)


@transaction.atomic
def book_fill(fill: Fill, *, now: datetime) -> Booked:
    """Book one trade; the caller sees to it that each trade is booked once. See :class:`Sitting`.

    :raises IntegrityError: when the trade has been booked before; nothing is changed.
    """
    fill = replace(fill, account=lock_account(fill.account))
    sitting = Sitting(fill, now=now)
    booked = sitting.book(fill)
    sitting.write()
    return booked


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
        entry_date=account_day(fill.account, now),
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
