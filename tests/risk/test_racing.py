import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection, connections

from brokers.services import open_paper_account
from orders.models import Order
from orders.services.sending import loaded_order, submit_order
from orders.states import OrderStatus
from risk.models import Reservation, RuleType
from risk.services import evaluate_account
from tests.orders.desk import Desk, make_desk
from tests.risk.test_judging import limit

THREADS = 50


def together(work: Callable[[int], object], count: int = THREADS) -> list[Exception]:
    """Run the work in many threads that start at one moment; answer what went wrong."""
    barrier, errors = threading.Barrier(count), list[Exception]()

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
        pytest.skip("threads share an in-memory SQLite; run on a file or on PostgreSQL")
    return make_desk()


@pytest.mark.slow
class TestOrdersAtOneMoment:
    def test_cannot_pass_a_limit_together(self, desk: Desk) -> None:
        limit(desk, RuleType.MAX_LOTS, "1")
        assert together(lambda number: desk.place(quantity=1, key=f"k{number}")) == []
        assert Order.objects.filter(status=OrderStatus.PENDING).count() == 1
        assert Reservation.objects.filter(released_at=None).count() == 1

    def test_with_one_key_are_one_order(self, desk: Desk) -> None:
        assert together(lambda _: desk.place(quantity=1, key="same")) == []
        assert Order.objects.count() == 1

    def test_sent_by_many_workers_leave_once(self, desk: Desk) -> None:
        order = desk.place(quantity=1)
        assert together(lambda _: submit_order(loaded_order(order.pk), clock=desk.clock)) == []
        assert order.events.filter(event_type="SUBMIT").count() == 1
        assert order.events.filter(event_type="ACCEPT").count() == 1

    def test_on_several_accounts_cannot_pass_a_count_of_the_desk(self, desk: Desk) -> None:
        limit(desk, RuleType.MAX_ORDERS_PER_DAY, "1")
        desks = [desk, beside(desk, "Second"), beside(desk, "Third")]

        def work(number: int) -> None:
            desks[number % len(desks)].place(quantity=1, key=f"k{number}")

        assert together(work, 24) == []
        assert Order.objects.filter(status=OrderStatus.PENDING).count() == 1
        assert Order.objects.filter(status=OrderStatus.DENIED).count() == 23

    def test_on_several_accounts_and_a_look_at_the_rules_do_not_wait_for_ever(
        self, desk: Desk
    ) -> None:
        limit(desk, RuleType.MAX_ORDERS_PER_DAY, "3")
        limit(desk, RuleType.MAX_DAILY_LOSS, "1000")
        desks = [desk, beside(desk, "Second")]

        def work(number: int) -> None:
            chosen = desks[number % 2]
            if number % 3:
                chosen.place(quantity=1, key=f"k{number}")
            else:
                evaluate_account(chosen.account, now=chosen.now)

        assert together(work, 24) == []


def beside(desk: Desk, name: str) -> Desk:
    """The same trader at another account of the desk."""
    account = open_paper_account(
        desk.account.workspace, user=desk.user, name=name, cash=Decimal(1_000_000), now=desk.now
    )
    return replace(desk, account=account)
