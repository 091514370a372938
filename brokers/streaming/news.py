"""An order that a socket tells of, as news; one that cannot be read is named in words."""

from collections.abc import Callable

from django.db import DatabaseError

from brokers.gateway import OrderReport
from brokers.rows import Naming, read_rows
from brokers.streaming.protocol import OrderNews, StreamError
from brokers.values import Row


def order_news(
    row: object, read: Callable[[Row], OrderReport], *, naming: Naming, broker: str
) -> OrderNews | StreamError:
    """Read one order; what cannot be read may have been a fill, so the book is read after it."""
    try:
        listed = read_rows([row], read, naming=naming, broker=broker)
    except DatabaseError as error:
        return StreamError(f"An order of {broker} could not be looked up: {error}")
    for each in listed.unreadable:
        return StreamError(f"{each.name}: {each.words}")
    return OrderNews(orders=tuple(listed))
