"""A share that is renamed while it is held: one position, one exit, and no difference."""

from datetime import timedelta

import pytest
from django.test import Client

from brokers.terms import Side
from market.importing.losses import Edition
from market.importing.masters import stage_master, write_staged
from market.importing.rows import Listed
from market.models import BrokerInstrument, Instrument
from orders.models import Order
from orders.services.exiting import exit_position
from orders.services.reconciling import reconcile_account
from orders.states import OrderStatus
from portfolio.models import Position, PositionDifference
from tests.market.files import make_import_run
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db


def list_as(desk: Desk, symbol: str, *, days: int) -> None:
    """Import a list of a broker that calls the desk's share so."""
    instrument = desk.instrument
    row = Listed(
        key=f"NSE:{symbol}",
        trading_symbol=symbol,
        name="INFOSYS LIMITED",
        exchange="NSE",
        segment=instrument.segment,
        instrument_type=instrument.instrument_type,
        lot_size=1,
        tick_size=instrument.tick_size,
        expiry=None,
        strike=None,
        option_type="",
        underlying="",
        token_exchange="NSE",
        token="1594",
        broker_symbol=symbol,
    )
    day = desk.now.date() + timedelta(days=days)
    edition, run = Edition("kite", day), make_import_run(at=desk.now)
    write_staged(edition, run=run, staged=stage_master([row]), now=desk.now)


@pytest.fixture(params=[0, 1])
def desk(request: pytest.FixtureRequest) -> Desk:
    """10 of INFY held, which its broker calls INFOSYS from the same day or the next on."""
    desk = make_desk(key="NSE:INFY")
    list_as(desk, "INFY", days=0)
    desk.buy(10)
    list_as(desk, "INFOSYS", days=request.param)
    return desk


class TestAHeldShareThatIsRenamed:
    def test_is_one_position_under_its_new_name(self, desk: Desk) -> None:
        held = Position.objects.open().get()
        assert (held.instrument.trading_symbol, held.quantity) == ("INFOSYS", 10)
        assert Instrument.objects.count() == 1

    def test_agrees_with_its_broker(self, desk: Desk) -> None:
        assert reconcile_account(desk.account, clock=desk.clock).agrees
        assert not PositionDifference.objects.exists()

    def test_leaves_whole(self, desk: Desk) -> None:
        held = Position.objects.open().get()
        [order] = exit_position(held, by=desk.user, now=desk.now, idempotency_key="x")
        desk.send(order)
        desk.trade("100.00")
        desk.trade("100.00")
        assert Order.objects.get(pk=order.pk).state is OrderStatus.FILLED
        assert not Position.objects.open().exists()

    def test_is_bought_into_the_same_position(self, desk: Desk) -> None:
        desk.instrument.refresh_from_db()
        desk.send(desk.place(Side.BUY, 5))
        desk.trade("100.00")
        desk.trade("100.00")
        assert Position.objects.open().get().quantity == 15


class TestTheOrderOfAShareThatIsRenamed:
    def test_shows_the_name_of_its_day_and_the_name_at_its_broker(self) -> None:
        desk = make_desk(key="NSE:INFY")
        list_as(desk, "INFY", days=0)
        order = desk.buy(10)
        list_as(desk, "INFOSYS", days=1)
        BrokerInstrument.objects.update(broker_type="paper", broker_symbol="INFOSYS-EQ")
        client = Client()
        client.force_login(desk.user)
        page = client.get(order.get_absolute_url(), secure=True).content.decode()
        assert "INFY then" in page
        assert "INFOSYS-EQ at the broker" in page
