"""Tell of a strategy's position that was closed from outside; stop what nobody expected."""

from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.events import publish
from operations.figures import rupees
from orders.outside import ClosedOutside
from strategies.models import ActivationStatus, UserStrategy


def hear_closed_outside(*, closing: ClosedOutside, **_: object) -> None:
    """Tell the owner, and pause the activation; part of the transaction that books the fill.

    What it goes by is not what it holds any more, so a person looks before it trades on. The
    broker's square-off of intraday positions is no such case: it comes every afternoon, the books
    have it, and the strategy goes on. A replay has nobody to look, and goes on.
    """
    activation = UserStrategy.objects.select_related("account", "strategy", "user").get(
        pk=closing.user_strategy_id
    )
    if activation.account.own_clock:
        return
    is_paused = not closing.is_square_off and _pause(activation, closing)
    what = "Squared off" if closing.is_square_off else "Closed from outside"
    notify(
        activation.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.INFO if closing.is_square_off else AlertLevel.CRITICAL,
        title=f"{what}: {closing.order.instrument.trading_symbol} of {activation}"[:200],
        message=_words(closing, is_paused=is_paused),
        now=closing.now,
        workspace=activation.workspace,
        data={"user_strategy": str(activation.pk), "order": str(closing.order.pk)},
    )
    publish(
        "strategies",
        workspace_id=activation.workspace_id,
        subject_id=activation.pk,
        now=closing.now,
    )


def _pause(activation: UserStrategy, closing: ClosedOutside) -> bool:
    active = UserStrategy.objects.filter(pk=activation.pk, status=ActivationStatus.ACTIVE)
    return bool(active.update(status=ActivationStatus.PAUSED, updated_at=closing.now))


def _words(closing: ClosedOutside, *, is_paused: bool) -> str:
    done = "sold" if closing.order.side == "SELL" else "bought back"
    if closing.is_square_off:
        return (
            f"{rupees(closing.quantity, 0)} were {done} after the hour at which intraday positions "
            "are closed, by an order that the broker placed or its own app. It is in the "
            "strategy's books, and the strategy goes on."
        )
    words = (
        f"{rupees(closing.quantity, 0)} were {done} by an order placed outside Pinnacle, "
        "in the broker's own app or by the broker itself."
    )
    left = (
        f" {rupees(closing.left, 0)} of it were still open then, and nobody watches them."
        if closing.left
        else " Nothing of it is left."
    )
    state = " The strategy is paused: look at its positions, then resume or stop it."
    return words + left + (state if is_paused else "")
