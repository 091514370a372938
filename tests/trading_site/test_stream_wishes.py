"""Each price has one writer: an older stream that really carries it, else the next one."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from accounts.models import Workspace
from brokers.models import BrokerConnection, ConnectionStatus, StreamConnection, StreamStatus
from brokers.terms import InstrumentType
from market.models import BrokerInstrument, Instrument, Watchlist
from tests.builders import NOW, make_instrument, make_user, make_workspace
from trading_site.stream_wishes import wishes_of

pytestmark = pytest.mark.django_db
KEYS = ("NSE:A", "NSE:B", "NSE:C")


@dataclass
class Two:
    """Two brokers' connections of one desk, which watches three instruments."""

    older: BrokerConnection
    newer: BrokerConnection
    rooms: dict[UUID, int] = field(default_factory=dict)

    def open(
        self, *, shard: int = 0, status: str = StreamStatus.CONNECTED, heard: float = 5
    ) -> StreamConnection:
        """Open the older one's socket; something was heard ``heard`` seconds afterwards."""
        at = NOW - timedelta(minutes=1)
        return StreamConnection.objects.create(
            connection=self.older,
            status=status,
            subscribed_events=["MARKET", shard],
            connected_at=at,
            last_heartbeat_at=at + timedelta(seconds=heard),
        )

    def wished(self) -> list[str]:
        wishes = wishes_of(self.newer, rooms=self.rooms, now=NOW)
        return [each.key for each in wishes]


def connect(desk: Workspace, broker: str) -> BrokerConnection:
    return BrokerConnection.objects.create(
        workspace=desk,
        user=desk.owner,
        broker_type=broker,
        alias=broker.title(),
        paper_trading=False,
        status=ConnectionStatus.CONNECTED,
    )


def watch(desk: Workspace, instruments: list[Instrument]) -> None:
    watchlist = Watchlist.objects.create(workspace=desk, user=desk.owner, name="Morning")
    for place, instrument in enumerate(instruments):
        watchlist.items.create(instrument=instrument, position=place)
        for broker in ("dhan", "kite"):
            BrokerInstrument.objects.create(
                instrument=instrument,
                broker_type=broker,
                exchange="NSE",
                security_id=str(instrument.pk),
            )


@pytest.fixture
def two() -> Two:
    desk = make_workspace(make_user())
    watch(desk, [make_instrument(key) for key in KEYS])
    older, newer = connect(desk, "dhan"), connect(desk, "kite")
    BrokerConnection.objects.filter(pk=older.pk).update(created_at=NOW - timedelta(days=1))
    BrokerConnection.objects.filter(pk=newer.pk).update(created_at=NOW)
    older.refresh_from_db()
    newer.refresh_from_db()
    return Two(older, newer, {older.pk: 100, newer.pk: 100})


class TestWishes:
    def test_are_the_newer_one_s_while_the_older_has_no_socket(self, two: Two) -> None:
        assert two.wished() == [*KEYS]

    def test_are_the_indices_of_the_top_bar_too(self, two: Two) -> None:
        index = make_instrument("NSE:NIFTY 50", instrument_type=InstrumentType.INDEX)
        BrokerInstrument.objects.create(
            instrument=index, broker_type="kite", exchange="NSE", security_id="256265"
        )
        assert two.wished() == [index.key, *KEYS]

    @pytest.mark.parametrize("status", [StreamStatus.ERROR, StreamStatus.CONNECTING])
    def test_are_the_newer_one_s_while_the_older_is_away(self, two: Two, status: str) -> None:
        two.open(status=status)
        assert two.wished() == [*KEYS]

    def test_are_the_newer_one_s_until_the_older_was_heard(self, two: Two) -> None:
        """Some brokers let us in and say only then that prices are not subscribed."""
        two.open(heard=0)
        assert two.wished() == [*KEYS]

    def test_are_the_newer_one_s_where_the_older_fell_silent(self, two: Two) -> None:
        two.open(heard=-600)
        assert two.wished() == [*KEYS]

    def test_are_the_newer_one_s_where_the_older_hears_of_orders_alone(self, two: Two) -> None:
        row = two.open()
        row.subscribed_events = ["ORDERS", 0]
        row.save()
        assert two.wished() == [*KEYS]

    def test_are_the_newer_one_s_where_the_older_has_no_stream_of_prices(self, two: Two) -> None:
        two.open()
        two.rooms[two.older.pk] = 0
        assert two.wished() == [*KEYS]

    def test_are_left_to_the_older_that_carries_them(self, two: Two) -> None:
        two.open()
        assert two.wished() == []

    def test_beyond_the_older_s_room_are_the_newer_one_s(self, two: Two) -> None:
        two.open()
        two.rooms[two.older.pk] = 1
        assert two.wished() == [*KEYS[1:]]

    def test_of_a_socket_that_broke_are_the_newer_one_s(self, two: Two) -> None:
        two.open()
        two.open(shard=1, status=StreamStatus.ERROR)
        two.open(shard=2)
        two.rooms[two.older.pk] = 1
        assert two.wished() == ["NSE:B"]

    def test_of_the_older_are_its_own_whatever_the_newer_does(self, two: Two) -> None:
        two.open()
        wishes = wishes_of(two.older, rooms=two.rooms, now=NOW)
        assert [each.key for each in wishes] == [*KEYS]
