"""Dhan's gateway: one account, over the official SDK's routes and our transport."""

from brokers.adapters.dhan.books import Books
from brokers.adapters.dhan.capability import capabilities_on
from brokers.adapters.dhan.prices import Prices
from brokers.adapters.dhan.standing import Standing
from brokers.adapters.dhan.trading import Trading
from brokers.capabilities import Capabilities
from brokers.governor import governor_for
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.terms import Segment


def open_gateway(account: TradingAccount, clock: Clock) -> "DhanGateway":
    """Open the way to Dhan for one account; nothing is called yet."""
    return DhanGateway(account, clock, admit=governor_for(account.connection, clock=clock))


class DhanGateway(Trading, Books, Prices, Standing):
    """One account at Dhan.

    It tells no history of an order and has no number for an order's changes; a market order
    comes back from its book as a limit order at a protected price.
    """

    def capabilities(self, segment: Segment) -> Capabilities | None:
        return capabilities_on(segment)
