"""What a stream did and said, as rows: its connections, and every message about an order."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from brokers.gateway import OrderReport, TradeReport
from brokers.models import BrokerConnection, StreamConnection, StreamMessage, StreamStatus
from brokers.storable import storable
from brokers.streaming.inbox import HeardOrders, HeardState, HeardWords
from brokers.streaming.protocol import StreamKind

_MOST_WORDS = 500
# A sign of life is written down so often, however much is heard.
_ALIVE_EVERY = timedelta(seconds=2)


class StreamBook:
    """The rows of one supervisor's shards; one thread uses it."""

    def __init__(
        self, connection: BrokerConnection, kind: StreamKind, *, clock: Callable[[], datetime]
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._clock = clock
        self._rows: dict[int, StreamConnection] = {}
        self._sequences: dict[int, int] = {}
        self._alive_at: dict[int, datetime] = {}

    def begin(self) -> None:
        """End what a process that died has left as connected; one process runs all streams."""
        left = StreamConnection.objects.filter(
            connection=self._connection, subscribed_events__0=self._kind.value
        ).exclude(status=StreamStatus.DISCONNECTED)
        left.update(
            status=StreamStatus.DISCONNECTED,
            disconnected_at=self._clock(),
            error_message="The process that listened has ended",
        )

    def note_state(self, state: HeardState) -> bool:
        """Write a shard's change; answer whether it has come back after having been away."""
        row = self._row(state.shard)
        now = self._clock()
        came_back = state.status is StreamStatus.CONNECTED and row.status != StreamStatus.CONNECTED
        if came_back:
            row.connected_at, row.last_heartbeat_at = now, now
        if state.status in (StreamStatus.ERROR, StreamStatus.DISCONNECTED):
            row.disconnected_at = now
        row.status = state.status
        row.error_message = state.words[:_MOST_WORDS]
        row.reconnect_attempts = state.attempts
        row.save(
            update_fields=[
                "status", "error_message", "reconnect_attempts", "connected_at",
                "disconnected_at", "last_heartbeat_at",
            ]
        )  # fmt: skip
        return came_back

    def note_words(self, heard: HeardWords) -> None:
        row = self._row(heard.shard)
        row.error_message = heard.words[:_MOST_WORDS]
        row.save(update_fields=["error_message"])

    def note_alive(self, shards: Collection[int]) -> None:
        now = self._clock()
        due = [each for each in shards if self._is_due(each, now)]
        if due:
            self._alive_at |= dict.fromkeys(due, now)
            rows = [self._row(number).pk for number in due]
            StreamConnection.objects.filter(pk__in=rows).update(last_heartbeat_at=now)

    def _is_due(self, shard: int, now: datetime) -> bool:
        before = self._alive_at.get(shard)
        return before is None or now - before >= _ALIVE_EVERY

    def note_messages(self, heard: Sequence[HeardOrders]) -> list[StreamMessage]:
        """Write the messages as they came, numbered; they are worked on afterwards."""
        return StreamMessage.objects.bulk_create([self._message(each) for each in heard])

    def close(self) -> None:
        """Write that nobody listens any more."""
        rows = [row.pk for row in self._rows.values()]
        StreamConnection.objects.filter(pk__in=rows).update(
            status=StreamStatus.DISCONNECTED, disconnected_at=self._clock()
        )

    def _message(self, heard: HeardOrders) -> StreamMessage:
        row = self._row(heard.shard)
        self._sequences[heard.shard] = self._sequences.get(heard.shard, 0) + 1
        named: list[OrderReport | TradeReport] = [*heard.news.orders, *heard.news.trades]
        return StreamMessage(
            stream=row,
            message_type="order" if heard.news.orders else "trade",
            payload=_payload(heard.frame),
            sequence=self._sequences[heard.shard],
            broker_order_id=named[0].broker_order_id if named else "",
        )

    def _row(self, shard: int) -> StreamConnection:
        if shard not in self._rows:
            self._rows[shard] = StreamConnection.objects.create(
                connection=self._connection, subscribed_events=[self._kind.value, shard]
            )
        return self._rows[shard]


def _payload(frame: str) -> object:
    return storable(frame)
