"""What the Brokers page says of the streams: one row for each socket, the newest of its kind."""

from accounts.models import Workspace
from brokers.models import ConnectionStatus, StreamConnection


def stream_states(workspace: Workspace) -> list[StreamConnection]:
    """Return the sockets of the connections that are logged in, prices before orders."""
    rows = StreamConnection.objects.filter(
        connection__workspace=workspace, connection__status=ConnectionStatus.CONNECTED
    )
    newest: dict[tuple[object, ...], StreamConnection] = {}
    for row in rows.select_related("connection").order_by("-created_at", "-pk")[:200]:
        newest.setdefault((row.connection_id, *row.subscribed_events), row)
    return sorted(newest.values(), key=lambda row: (row.connection.alias, *row.subscribed_events))
