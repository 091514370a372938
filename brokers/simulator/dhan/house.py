"""Everything the simulated Dhan remembers besides the exchange's own books."""

from brokers.simulator.dhan.feed import Feeds
from brokers.simulator.dhan.listing import Listing
from brokers.simulator.dhan.standing import StandingOrders
from brokers.simulator.dhan.tokens import Tokens
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.records import SimEvent


class House:
    """One simulated Dhan; handlers find it in ``app.state.dhan``."""

    def __init__(self, broker: SimulatedBroker, faults: Faults) -> None:
        self.broker = broker
        self.listing = Listing(broker)
        self.tokens = Tokens(broker.clock)
        self.feeds = Feeds(self, faults)
        self.begin()
        broker.use_order_ids(self._order_id)
        broker.subscribe(self._hear)

    def begin(self) -> None:
        """Forget everything, logins too, and hang up."""
        self.tokens.begin()
        self.feeds.forget()
        self.standing = StandingOrders(self.broker)
        self.changes: dict[str, int] = {}
        self.kill_switches: dict[str, str] = {}
        self.addresses: dict[str, dict[str, str]] = {}
        self.without_data: set[str] = set()

    def expire(self, client: str | None) -> None:
        """End the logins of one client, or of all, and the sockets opened with them."""
        self.tokens.expire(client)
        self.feeds.expire(client)

    def _hear(self, event: SimEvent) -> None:
        self.feeds.hear(event)
        self.standing.hear(event)

    def _order_id(self, number: int) -> str:
        """Name orders Dhan's way: a digit, the day, and a number that grows."""
        return f"1{self.broker.clock():%y%m%d}{number:06d}"
