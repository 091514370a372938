"""What a broker's market stream shall carry: what its desk holds, trades or watches."""

from django.db.models import QuerySet

from brokers.gateway import InstrumentRef
from brokers.models import BrokerConnection, ConnectionStatus
from market.directory import ref_at
from market.models import BrokerInstrument, WatchlistItem
from orders.models import Order
from portfolio.models import Position
from strategies.models import ActivationStatus, UserStrategy


def wishes_of(connection: BrokerConnection) -> list[InstrumentRef]:
    """Return the instruments with the broker's numbers, those with money in them first.

    An instrument that an older connection's stream carries already is left to it: each price has
    one writer.
    """
    ids = _wanted_ids(connection)
    for older in _older_streams(connection):
        carried = set(_numbered(older, _wanted_ids(older)).values_list("instrument", flat=True))
        ids = [each for each in ids if each not in carried]
    rank = {each: place for place, each in enumerate(ids)}
    rows = sorted(
        _numbered(connection, ids).select_related("instrument"),
        key=lambda row: rank[row.instrument_id],
    )
    return [ref_at(row) for row in rows]


def _older_streams(connection: BrokerConnection) -> QuerySet[BrokerConnection]:
    return BrokerConnection.objects.filter(
        status=ConnectionStatus.CONNECTED, created_at__lt=connection.created_at
    ).exclude(broker_type="paper")


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
        *watched.order_by("watchlist", "position").values_list("instrument_id", flat=True),
    ]
    return list(dict.fromkeys(wanted))
