"""What one report makes of one order, and which reports make nothing of theirs."""

from collections.abc import Sequence

from brokers.gateway import OrderReport
from brokers.models import TradingAccount
from orders.lifecycle import Report, Snapshot, apply_report
from orders.models import Order
from orders.services.batches import AT_ONCE
from orders.services.transitions import snapshot_of
from orders.states import OrderStatus


def merged(order: Order, report: OrderReport) -> Snapshot | None:
    """Take the terms over that the broker holds; return the next state, None if nothing changes."""
    before = (snapshot_of(order), order.broker_order_id, order.price, order.trigger_price)
    _take_over(order, report)
    after = apply_report(before[0], _lifecycle_report(report))
    is_as_before = (after, order.broker_order_id, order.price, order.trigger_price) == before
    if is_as_before and not _average_improves(order, report):
        return None
    _take_average(order, report)
    return after


def news(account: TradingAccount, reports: Sequence[OrderReport]) -> list[OrderReport]:
    """Leave out what changes nothing: a day's book is told again whole at every reading.

    Told before its order changes next, such a report would change nothing either, so no lock is
    needed. Of an order with any news, all reports stay, each in its place.
    """
    fresh: set[str] = set()
    for begin in range(0, len(reports), AT_ONCE):
        part = reports[begin : begin + AT_ONCE]
        known = _known(account, {each.broker_order_id for each in part})
        for report in part:
            order = known.get(report.broker_order_id)
            if order is None or merged(order, report) is not None:
                fresh.add(report.broker_order_id)
    return [each for each in reports if each.broker_order_id in fresh]


def _known(account: TradingAccount, broker_order_ids: set[str]) -> dict[str, Order]:
    # One that no database can even ask for is set aside when its turn comes.
    asked = [each for each in broker_order_ids if "\x00" not in each]
    orders = Order.objects.filter(account=account, broker_order_id__in=asked)
    return {order.broker_order_id: order for order in orders}


def _lifecycle_report(report: OrderReport) -> Report:
    return Report(
        report.status, report.quantity, report.filled_quantity, report.sequence, report.updated_at
    )


def _take_over(order: Order, report: OrderReport) -> None:
    """Take the terms that the broker holds; it may have replaced a market order by a limit."""
    order.broker_order_id = report.broker_order_id
    order.exchange_order_id = report.exchange_order_id or order.exchange_order_id
    is_newer = order.reported_at is None or (report.sequence, report.updated_at) >= (
        order.report_sequence,
        order.reported_at,
    )
    if is_newer and order.state is not OrderStatus.MODIFY_PENDING:
        order.price = order.price if report.price is None else report.price
        order.trigger_price = report.trigger_price or order.trigger_price


def _average_improves(order: Order, report: OrderReport) -> bool:
    is_untold = report.average_price is not None and order.average_price is None
    return is_untold and report.filled_quantity > order.traded_quantity


def _take_average(order: Order, report: OrderReport) -> None:
    """Believe the broker's average until our own trades add up to as much."""
    if report.average_price is not None and report.filled_quantity > order.traded_quantity:
        order.average_price = report.average_price
