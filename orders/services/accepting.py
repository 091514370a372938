"""Accept the broker's figure by hand, where the readings alone never will: it is doubted, or waits.

A person may overrule a doubt, never what is still under way: an order that may be live, or a fill
that is not booked yet, would be counted twice.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.permissions import require_active, require_trading_role
from brokers.gateway import GatewayUnavailable
from brokers.registry import Clock, gateway_for
from operations.figures import rupees
from orders.services.adjusting import ByHand, adopt_difference
from orders.services.concluding import Found, conclude_left
from orders.services.differing import note_differences, our_holdings
from orders.services.reconciling import BookNotWhole, read_account
from orders.soundness import ReportUnsound
from portfolio.models import DifferenceState, PositionDifference
from portfolio.services import lock_account


class NotAcceptable(Exception):
    """Nothing was adopted; the words say why, and what holds now."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a person accepts: the two figures as they were shown, and why the broker's is right."""

    ours: int
    theirs: int
    reason: str
    by: User


def accept_difference(
    row: PositionDifference, acceptance: Acceptance, *, clock: Clock
) -> PositionDifference:
    """Read the broker once more and adopt its figure, if both sides are still what was shown.

    Pressed again, or from a second browser, it changes nothing more.

    :raises PermissionDenied: when the person may not trade in the account's workspace, or not now.
    :raises NotAcceptable: when it was not adopted; a new figure is on the row by then.
    """
    require_trading_role(acceptance.by, row.account.workspace)
    require_active(acceptance.by, now=clock())
    if not acceptance.reason.strip():
        raise NotAcceptable("Say why the broker's figure is right: it is kept with the adjustment")
    if row.state == DifferenceState.ADJUSTED:
        return row
    try:
        found = read_account(row.account, gateway_for(row.account, clock=clock), clock=clock)
    except (GatewayUnavailable, BookNotWhole, ReportUnsound) as error:
        words = f"{row.account.name} could not be read, so nothing was adopted: {error}"
        raise NotAcceptable(words) from error
    settled, refusal = _settle(row.pk, found, acceptance, now=clock())
    if refusal:
        raise NotAcceptable(refusal)
    return settled


@transaction.atomic
def _settle(
    row_id: uuid.UUID, found: Found, acceptance: Acceptance, *, now: datetime
) -> tuple[PositionDifference, str]:
    """Adopt it, or say why not: what the reading found is kept either way."""
    related = ("account__connection__user", "account__workspace", "instrument")
    row = PositionDifference.objects.select_related(*related).get(pk=row_id)
    account = row.account
    lock_account(account)
    account.refresh_from_db(fields=["reconciled_at"])
    row.refresh_from_db(fields=["state", "adjusted_at", "adjustment_id", "reason"])
    if row.state == DifferenceState.ADJUSTED:
        return row, ""
    if our_holdings(account) != found.reading.ours:
        return row, "Our positions moved while the broker was read. Nothing was adopted: look again"
    note_differences(account, found.reading, trades=found.trades, now=now)
    row.refresh_from_db()
    refusal = _refusal(row, acceptance)
    if not refusal:
        by_hand = ByHand(acceptance.by, acceptance.reason.strip())
        row = adopt_difference(row.pk, by_hand=by_hand, now=now)
        if row.state == DifferenceState.OPEN:
            refusal = f"{row.reason}. Nothing was adopted"
    conclude_left(account, found, now=now)
    return row, refusal


def _refusal(row: PositionDifference, acceptance: Acceptance) -> str:
    """Say what has changed since it was shown, or what it must still wait for."""
    if row.state != DifferenceState.OPEN:
        return "Both sides agree now. Nothing was adopted"
    if (row.ours, row.theirs) != (acceptance.ours, acceptance.theirs):
        now = f"{rupees(row.ours, 0)} here, {rupees(row.theirs, 0)} at the broker now"
        return f"It has changed since this page was drawn: {now}. Nothing was adopted"
    if row.instrument is None:
        return f"{row.reason}. Nothing was adopted"
    if not row.readings:  # what is still under way begins the count anew
        return f"{row.reason}. Adopted now it would be counted twice: settle that first"
    return ""
