"""A split, bonus or consolidation reaches an account's books on its ex-date."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from brokers.models import TradingAccount
from brokers.terms import InstrumentType, Product
from market.calendar import IST
from market.models import CorporateAction, CorporateActionKind
from operations.events import publish
from portfolio.charges import ChargeGroup, charge_group
from portfolio.corporate_actions import ShareChange, credited, kept_cost, restated, restated_price
from portfolio.models import (
    Holding,
    LedgerEntry,
    LedgerName,
    Position,
    PositionType,
    ShareCredit,
)
from portfolio.services.positions import book_of, set_book
from portfolio.services.sessions import (
    Gain,
    lock_account,
    save_session,
    start_session,
    take_gain,
    unrealized_in,
)

NOTHING = Decimal(0)
_RESTATED = (
    "quantity",
    "open_cost",
    "realized_pnl",
    "buy_quantity",
    "last_price",
    "close_price",
    "marked_at",
    "unrealized_pnl",
    "status",
    "closed_at",
    "updated_at",
)


class TradedSince(Exception):
    """The account has traded the share in new shares already: the books cannot take it in now."""


@transaction.atomic
def apply_action(
    account: TradingAccount, action: CorporateAction, *, now: datetime
) -> ShareCredit | None:
    """Restate what the account holds for delivery; once only, None where it was done or nothing is.

    Quantity, average, marks, holding and the day's books move together. What was bought for the
    ex-date or later is in new shares already.

    :raises TradedSince: when the share has been traded in the account since the ex-date.
    """
    account = lock_account(account)
    if ShareCredit.objects.filter(account=account, action=action).exists():
        return None
    held = delivery_before(account, action)
    if not held:
        return None
    _check_untraded(account, action)
    change = ShareChange(
        action.instrument_id,
        action.ex_date,
        action.factor,
        keeps_cost=action.kind == CorporateActionKind.BONUS,
    )
    session = start_session(account, session_date=action.ex_date, now=now)
    before = [position.quantity for position in held]
    credit = credited(before, change.factor)
    lost = sum(
        (
            _restate(position, quantity, change, now=now)
            for position, quantity in zip(held, credit.quantities, strict=True)
        ),
        NOTHING,
    )
    row = ShareCredit(
        workspace_id=account.workspace_id,
        account=account,
        action=action,
        instrument_id=action.instrument_id,
        kind=action.kind,
        ex_date=action.ex_date,
        factor=action.factor,
        quantity_before=sum(before),
        quantity_after=sum(credit.quantities),
        pending_quantity=max(sum(credit.quantities) - sum(before), 0),
        pending_mtf_quantity=_added(held, before, Product.MTF),
        fraction=credit.fraction,
        after_entry=_last_entry(account),
        applied_at=now,
    )
    _restate_holding(row, change, now=now)
    row.save(force_insert=True)
    take_gain(session, Gain(unrealized_in(session), realized=-lost))
    save_session(session, now=now, is_trade=True)
    publish("positions", workspace_id=account.workspace_id, subject_id=account.pk, now=now)
    return row


@transaction.atomic
def confirm_credit(row: ShareCredit, *, now: datetime) -> bool:
    """Note that the depository has credited the shares: they may be sold; once only."""
    lock_account(row.account)
    if not ShareCredit.objects.pending().filter(pk=row.pk).update(credited_at=now):
        return False
    holding = Holding.objects.filter(account=row.account_id, instrument=row.instrument_id).first()
    if holding is not None:
        come = min(row.pending_quantity, holding.pending_quantity)
        holding.pending_quantity -= come
        holding.dp_quantity += come
        holding.available_quantity += come
        holding.save(update_fields=["pending_quantity", "dp_quantity", "available_quantity"])
    publish("positions", workspace_id=row.workspace_id, subject_id=row.account_id, now=now)
    return True


def holders_of(action: CorporateAction) -> list[TradingAccount]:
    """The accounts that hold the share from before the ex-date and have not taken the action in."""
    done = ShareCredit.objects.filter(action=action).values("account")
    held = Position.objects.open().filter(
        instrument=action.instrument_id, session_date__lt=action.ex_date, quantity__gt=0
    )
    return list(
        TradingAccount.objects.filter(pk__in=held.values("account"), own_clock=False)
        .exclude(pk__in=done)
        .select_related("connection__user", "workspace")
        .order_by("pk")
    )


def delivery_before(account: TradingAccount, action: CorporateAction) -> list[Position]:
    """Open long delivery positions from before the ex-date, as shares are shared among them."""
    positions = Position.objects.open().filter(
        account=account,
        instrument=action.instrument_id,
        session_date__lt=action.ex_date,
        quantity__gt=0,
    )
    kept = [each for each in positions.select_related("instrument") if _is_delivery(each)]
    return sorted(kept, key=lambda each: (each.product, str(each.user_strategy_id)))


def _added(held: Sequence[Position], before: Sequence[int], product: Product) -> int:
    """How many shares the restated positions of one product have more than before."""
    rows = zip(held, before, strict=True)
    return max(sum(each.quantity - old for each, old in rows if each.product == product), 0)


def _is_delivery(position: Position) -> bool:
    kind = InstrumentType(position.instrument.instrument_type)
    return kind is InstrumentType.EQ and (
        charge_group(kind, position.product) is ChargeGroup.DELIVERY  # type: ignore[arg-type]
    )


def _check_untraded(account: TradingAccount, action: CorporateAction) -> None:
    traded = Position.objects.filter(
        account=account,
        instrument=action.instrument_id,
        position_type=PositionType.DAY,
        session_date__gte=action.ex_date,
    )
    if any(_is_delivery(each) for each in traded.select_related("instrument")):
        raise TradedSince("It has been traded since the ex-date")


def _restate(position: Position, quantity: int, change: ShareChange, *, now: datetime) -> Decimal:
    """Write one position in new shares; return what its fraction cost."""
    before = book_of(position)
    after = restated(before, quantity, change)
    set_book(position, after)
    position.closed_at = now if after.is_flat else None
    for name in ("last_price", "close_price"):
        price = getattr(position, name)
        if price is not None:
            setattr(position, name, restated_price(price, change.factor))
    # A price of an earlier day is in old shares, whoever tells it later.
    position.marked_at = datetime.combine(change.ex_date, time.min, IST).astimezone(UTC)
    position.unrealized_pnl = (
        NOTHING if position.last_price is None else position.unrealized_at(position.last_price)
    )
    position.save(update_fields=_RESTATED)
    return before.realized - after.realized


def _restate_holding(row: ShareCredit, change: ShareChange, *, now: datetime) -> None:
    holding = Holding.objects.filter(account=row.account, instrument=row.instrument_id).first()
    if holding is None or not holding.total_quantity:
        return
    before = holding.total_quantity
    after = credited([before], change.factor).quantities[0]
    cost = kept_cost(holding.average_price * before, before=before, after=after, change=change)
    if after >= before:
        holding.pending_quantity += after - before
    else:
        holding.dp_quantity, holding.t1_quantity, holding.t1_bought_on = after, 0, None
        holding.pending_quantity = 0
    holding.total_quantity = after
    holding.available_quantity = max(
        after - holding.collateral_quantity - holding.pending_quantity, 0
    )
    holding.average_price = restated_price(cost, Decimal(after)) if after else NOTHING
    if holding.last_price is not None:
        holding.last_price = restated_price(holding.last_price, change.factor)
    holding.as_of = now
    holding.save()


def _last_entry(account: TradingAccount) -> int:
    lines = LedgerEntry.objects.filter(account=account, ledger=LedgerName.CASH)
    return lines.aggregate(last=Max("id"))["last"] or 0
