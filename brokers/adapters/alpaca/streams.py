"""Alpaca's two sockets, without I/O: orders in JSON, prices in msgpack.

The SDK's own streams are not used: they stand on a deprecated library, and come back for ever
with keys that were refused.
"""

from brokers.adapters.alpaca.client import keys_in
from brokers.adapters.alpaca.order_stream import OrderStream
from brokers.adapters.alpaca.price_stream import PriceStream
from brokers.streaming.protocol import StreamKind, StreamProtocol


def open_stream(
    kind: StreamKind, *, secrets: dict[str, str], credentials: dict[str, str]
) -> StreamProtocol | None:
    keys = keys_in(secrets)
    return OrderStream(keys) if kind is StreamKind.ORDERS else PriceStream(keys)
