"""When an account counts as having agreed, and that nobody is left untold."""

from datetime import UTC, datetime
from typing import NoReturn

import pytest
from django.db.models.signals import pre_save
from pytest_django import Settings

from brokers.models import TradingAccount
from notifications.models import Notification
from portfolio.models import PositionDifference
from tests.orders.desk import Desk
from tests.orders.live_desk import make_live_desk, moved, reconcile, saying

pytestmark = pytest.mark.django_db
# Midnight in India; in New York it is the early afternoon of one day.
BEFORE_MIDNIGHT = datetime(2026, 6, 17, 18, 0, tzinfo=UTC)
AFTER_MIDNIGHT = datetime(2026, 6, 17, 19, 0, tzinfo=UTC)


@pytest.fixture
def desk(settings: Settings) -> Desk:
    desk = make_live_desk(settings)
    desk.buy(10)
    assert reconcile(desk).agrees
    return desk


class Killed(Exception):
    """The worker dies here."""


def die(**_: object) -> NoReturn:
    raise Killed


class TestAnAgreement:
    @pytest.mark.parametrize(("currency", "holds"), [("INR", False), ("USD", True)])
    def test_is_of_the_day_at_its_exchange(self, desk: Desk, currency: str, holds: bool) -> None:
        desk.now = AFTER_MIDNIGHT
        desk.account.currency = currency
        desk.account.reconciled_at = BEFORE_MIDNIGHT
        desk.account.save()
        with saying(moved(desk, 7)):
            reconcile(desk)
        assert (desk.account.reconciled_at is not None) is holds


class TestAWorkerThatDiesWhileItTells:
    def reconcile_and_die(self, desk: Desk) -> None:
        pre_save.connect(die, sender=Notification, weak=False)
        try:
            with saying(moved(desk, 7)), pytest.raises(Killed):
                reconcile(desk, after=301)
        finally:
            pre_save.disconnect(die, sender=Notification)

    def test_leaves_an_old_difference_to_be_told(self, desk: Desk) -> None:
        desk.account.reconciled_at = desk.now
        desk.account.save()
        with saying([]):
            reconcile(desk)
        PositionDifference.objects.update(told_at=None)
        self.reconcile_and_die(desk)
        assert PositionDifference.objects.get().told_at is None

    def test_leaves_the_loss_of_an_agreement_to_be_told(self, desk: Desk) -> None:
        before = datetime(2026, 6, 16, 6, 0, tzinfo=UTC)
        desk.account.reconciled_at = before
        desk.account.save()
        self.reconcile_and_die(desk)
        assert TradingAccount.objects.get(pk=desk.account.pk).reconciled_at == before
