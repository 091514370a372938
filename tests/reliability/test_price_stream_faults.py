"""Every fault of a stream of prices on every broker: an old price judges no entry, exits leave."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from brokers.models import ConnectionStatus
from brokers.streaming.protocol import StreamKind
from brokers.terms import Side
from market.quotes import QuoteView, quote_of
from market.watching import add_to_watchlist, create_watchlist
from orders.states import OrderStatus
from tests.reliability.listening import Listening, listening
from tests.reliability.test_faults import bought
from tests.reliability.test_stream_faults import BEATS_BY_THE_FEED, is_expired, log_in_anew
from tests.reliability.worlds import World

Tell = Callable[[str, str], None]
A_TRADE = 400
PRICES = StreamKind.MARKET


@pytest.fixture
def watching(world: World) -> World:
    """The same desk, with the share on a watchlist: so the stream carries it."""
    account = world.account
    listed = create_watchlist(account.workspace, user=account.connection.user, name="Shares")
    add_to_watchlist(listed, instrument=world.instrument)
    return world


class TestTheStreamOfPrices:
    def test_that_says_things_twice(self, watching: World, tell: Tell) -> None:
        with listening(watching, PRICES) as stream:
            before = first_price(stream)
            watching.faults.arm("duplicate_frames", times=3)
            for rise in (1, 2, 3):
                hear(stream, before.ltp + rise)
            stream.until(lambda: not watching.faults.armed())
            hear(stream, before.ltp + 4)
        traded = quote(watching).volume - before.volume
        assert traded == 4 * A_TRADE
        tell("price stream: frames come twice", "last price right, volume counted once")

    def test_that_says_things_out_of_order(self, watching: World, tell: Tell) -> None:
        with listening(watching, PRICES) as stream:
            before = first_price(stream)
            watching.faults.arm("reordered_frames", times=1)
            for rise in (1, 2):
                watching.trade(before.ltp + rise, volume=A_TRADE)
            stream.until(lambda: quote(watching).ltp == before.ltp + 2)
            stream.until(lambda: not watching.faults.armed())
            hear(stream, before.ltp + 3)
        assert quote(watching).volume - before.volume == 3 * A_TRADE
        tell("price stream: frames out of order", "the newest price stays, volume counted once")

    def test_that_falls_silent(self, watching: World, tell: Tell) -> None:
        bought(watching)
        with listening(watching, PRICES) as stream:
            before = first_price(stream)
            watching.faults.arm("silent_stream")
            watching.trade(before.ltp + 1)
            is_noticed = watching.stand.name in BEATS_BY_THE_FEED
            if is_noticed:
                stream.until(lambda: stream.complaints)
            words = judged_by_an_old_price(watching, stream)
            watching.faults.clear()
            hear(stream, before.ltp + 2)
            assert bool(stream.complaints) is is_noticed
        said = "given up and opened anew; " if is_noticed else ""
        tell("price stream: silent", said + words)

    def test_whose_prices_stand_still(self, watching: World, tell: Tell) -> None:
        bought(watching)
        with listening(watching, PRICES) as stream:
            before = first_price(stream)
            watching.faults.arm("stale_feed", match="tick")
            heard = len(stream.prices)
            watching.trade(before.ltp + 1)
            stream.until(lambda: len(stream.prices) > heard)
            words = judged_by_an_old_price(watching, stream)
            assert before.ltp + 1 not in stream.prices
            watching.faults.clear()
            hear(stream, before.ltp + 2)
        tell("price stream: the feed repeats an old price", words)

    def test_whose_other_end_has_vanished(self, watching: World, tell: Tell) -> None:
        bought(watching)
        with listening(watching, PRICES) as stream:
            before = first_price(stream)
            watching.faults.arm("half_open")
            watching.trade(before.ltp + 1)
            stream.until(lambda: stream.complaints)
            words = judged_by_an_old_price(watching, stream)
            watching.faults.clear()
            hear(stream, before.ltp + 2)
        tell("price stream: half-open", f"given up and opened anew; {words}")

    def test_whose_login_runs_out(self, watching: World, tell: Tell) -> None:
        with listening(watching, PRICES) as stream:
            before = first_price(stream)
            watching.served.app.state.dialect.expire_tokens(None)
            stream.until(lambda: is_expired(watching))
            log_in_anew(watching)
            hear(stream, before.ltp + 1)
            watching.account.connection.refresh_from_db()
        assert watching.account.connection.status == ConnectionStatus.CONNECTED
        tell("price stream: the login runs out", "connection expired → prices after the next login")

    def test_whose_worker_is_killed(self, watching: World, tell: Tell) -> None:
        with listening(watching, PRICES) as stream:
            before = first_price(stream)
        watching.trade(before.ltp + 1)
        with listening(watching, PRICES) as stream:
            hear(stream, before.ltp + 2)
        tell("price stream: its worker is killed", "prices as soon as the next one listens")


def first_price(stream: Listening) -> QuoteView:
    """Let the share trade until the stream tells it: before, it may not be subscribed yet."""
    world = stream.world

    def is_told() -> bool:
        if not stream.prices:
            world.trade(world.price, volume=0)
        return bool(stream.prices) and quote(world).ltp == world.price

    stream.until(is_told)
    hear(stream, world.price + 1)
    return quote(world)


def hear(stream: Listening, price: Decimal) -> None:
    """Let the share trade at a price, and once more where the stream was not open just then."""
    world, since = stream.world, stream.connected
    world.trade(price, volume=A_TRADE)

    def is_told() -> bool:
        nonlocal since
        if stream.connected > since:
            since = stream.connected
            world.trade(price, volume=A_TRADE)
        return quote(world).ltp == price

    stream.until(is_told)


def judged_by_an_old_price(world: World, stream: Listening) -> str:
    """Let a minute pass; return what an entry is told then, having sent an exit nevertheless."""
    world.pass_time(61)
    stream.pump()
    entry = world.write(Side.BUY)
    assert entry.state is OrderStatus.DENIED
    exit_ = world.send(world.write(Side.SELL))
    assert len(world.at_broker(exit_)) == 1
    first = entry.error_message.partition(".")[0]
    return f"market entry {entry.status}: “{first}”; exits leave"


def quote(world: World) -> QuoteView:
    found = quote_of(world.instrument.key)
    assert found is not None
    return found
