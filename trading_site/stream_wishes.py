"""What a market stream shall carry: what its desk holds, trades or watches, and the indices."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet

from brokers.gateway import InstrumentRef
from brokers.models import BrokerConnection, ConnectionStatus, StreamConnection, StreamStatus
from brokers.streaming.protocol import StreamKind
from market.directory import ref_at
from market.models import BrokerInstrument, WatchlistItem
from market.selectors import index_instruments
from orders.models import Order
from portfolio.models import Position
from strategies.models import ActivationStatus, UserStrategy

# A line that has said nothing for so long has ended itself, if anybody still listens to it.
RECENT = timedelta(minutes=2)


def wishes_of(
    connection: BrokerConnection, *, rooms: Mapping[UUID, int], now: datetime
) -> list[InstrumentRef]:
    """Return the instruments with the broker's numbers, those with money in them first.

    An instrument that an older connection's stream really carries is left to it: each price has
    one writer. ``rooms`` tells how many one socket of each connection carries.
    """
    carried: set[int] = set()
    for older in _older_streams(connection):
        carried |= _carried_by(older, carried, room=rooms.get(older.pk, 0), now=now)
    return [ref_at(row) for row in _ranked(connection, carried)]


def _carried_by(
    older: BrokerConnection, carried: set[int], *, room: int, now: datetime
) -> set[int]:
    """Return what the connection's sockets carry that are let in and have been heard since."""
    live = StreamConnection.objects.filter(
        connection=older,
        status=StreamStatus.CONNECTED,
        subscribed_events__0=StreamKind.MARKET.value,
        last_heartbeat_at__gt=F("connected_at"),
        last_heartbeat_at__gte=now - RECENT,
    )
    shards = {int(events[1]) for events in live.values_list("subscribed_events", flat=True)}
    if not shards or not room:
        return set()
    own = [row.instrument_id for row in _ranked(older, carried)]
    return {each for shard in shards for each in own[shard * room : (shard + 1) * room]}


def _ranked(connection: BrokerConnection, carried: set[int]) -> list[BrokerInstrument]:
    ids = [each for each in _wanted_ids(connection) if each not in carried]
    rank = {each: place for place, each in enumerate(ids)}
    rows = _numbered(connection, ids).select_related("instrument")
    return sorted(rows, key=lambda row: rank[row.instrument_id])


def _older_streams(connection: BrokerConnection) -> QuerySet[BrokerConnection]:
    older = BrokerConnection.objects.filter(
        status=ConnectionStatus.CONNECTED, created_at__lt=connection.created_at
    )
    return older.exclude(broker_type="paper").order_by("created_at")


def _numbered(connection: BrokerConnection, ids: list[int]) -> QuerySet[BrokerInstrument]:
    return BrokerInstrument.objects.filter(
        broker_type=connection.broker_type,
        is_listed=True,
        instrument__in=ids,
        instrument__is_active=True,
    )


def _wanted_ids(connection: BrokerConnection) -> list[int]:
    desk = connection.workspace_id
    held = Position.objects.filter(account__workspace=desk).open()
    working = Order.objects.filter(workspace=desk).working()
    running = UserStrategy.objects.filter(workspace=desk, status=ActivationStatus.ACTIVE)
    watched = WatchlistItem.objects.filter(watchlist__workspace=desk)
    wanted = [
        *held.values_list("instrument_id", flat=True),
        *working.values_list("instrument_id", flat=True),
        *running.values_list("instruments", flat=True),
        *(each.pk for each in index_instruments()),
        *watched.order_by("watchlist", "position").values_list("instrument_id", flat=True),
    ]
    return list(dict.fromkeys(wanted))
