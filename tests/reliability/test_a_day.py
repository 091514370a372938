"""One whole day at each broker, as a person lives it: every step at a page, every look at one.

The house's own tasks do the work in between; the broker is its simulator, by its official SDK.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from django.test import Client
from pytest_django import Settings

from brokers.simulator.dhan.tokens import PASTED
from brokers.simulator.records import OrderState
from brokers.standing import SENDS_NOTHING
from brokers.streaming.protocol import StreamKind
from brokers.terms import Side
from market import tasks as market_tasks
from orders.models import Order, Trade
from tests.builders import PASSWORD, make_user, make_workspace
from tests.reliability.day import Day
from tests.reliability.listening import listening
from tests.reliability.pages import Page, Trader
from tests.reliability.stands import STANDS
from tests.reliability.test_faults import assert_same, position_of
from tests.reliability.worlds import Served


@pytest.fixture(params=sorted(STANDS))
def day(
    request: pytest.FixtureRequest, settings: Settings, transactional_db: None
) -> Iterator[Day]:
    """A person with an empty desk, on the morning of a Wednesday; the broker is one's own."""
    served = Served(STANDS[request.param])
    settings.LIVE_TRADING = True
    settings.BROKER_TIMEOUT = 1.0
    with served.server, time_machine.travel(served.stand.now, tick=True) as traveller:
        served.renew()
        settings.BROKER_ENDPOINTS = {served.stand.name: served.server.url}
        user = make_user("asha")
        make_workspace(user)
        client = Client()
        client.force_login(user)
        yield Day(served, Trader(client), traveller)


class TestADay:
    def test_ends_with_the_house_and_the_broker_agreeing(self, day: Day) -> None:
        connect(day)
        fetch_the_list(day)
        watch_the_price(day)
        compare(day)
        turn_live_on(day)
        change_and_fill_in_part(day)
        cancel_the_rest(day)
        be_refused(day)
        lose_an_answer(day)
        find_what_was_lost(day)
        trade_in_the_brokers_app(day)
        be_signed_out(day)
        sign_in_again(day)
        assert_all_agrees(day)


def connect(day: Day) -> None:
    """Brokers → Connect a broker → the guide's form → the login, as this broker wants it."""
    name = day.stand.name
    chosen = day.trader.read("/brokers/connect/")
    assert f"/brokers/connect/{name}/" in chosen.addresses
    typed = {f"field_{field}": value for field, value in day.stand.credentials.items()}
    page = day.trader.press(day.trader.read(f"/brokers/connect/{name}/"), **typed)
    page.says("Logging in at", "Simulated broker: no real order leaves")
    day.log_in()
    sign_in_at_broker(day)
    day.read_connection().says("Session Connected", day.stand.client, "Not compared")
    day.trader.read("/brokers/").row(day.account.name, "Connected", "live trading is off")


def sign_in_at_broker(day: Day) -> None:
    """Where the broker has a page for it, sign in there and come back."""
    page = day.read_connection()
    address = next((each for each in page.addresses if each.startswith(day.served.server.url)), "")
    if not address:
        return
    page.says("Now sign in on")
    back = "http://testserver/brokers/callback/kite/"
    typed = {"user_id": day.stand.client, "redirect_url": back}
    answer = requests.post(address, data=typed, allow_redirects=False, timeout=5)
    parts = urlsplit(answer.headers["location"])
    day.trader.read(f"{parts.path}?{parts.query}").says("Logging in at")
    day.log_in()


def fetch_the_list(day: Day) -> None:
    """The morning's task fetches the broker's own list; the import says what it found."""
    market_tasks.refresh_masters()
    day.trader.read("/imports/").says("Up to date")
    found = day.trader.read("/market/search/", q=day.instrument.trading_symbol)
    day.trader.press(found, "/market/watchlists/add/")


def watch_the_price(day: Day) -> None:
    """The supervisor's stream brings a price to the watchlist, and the page says it is heard."""
    price = day.world.price + 1
    with listening(day.world, StreamKind.MARKET) as stream:
        day.hear(stream, price)
        day.read_connection().says("Prices Connected")
    assert f"{price:,.2f}" in day.trader.read("/").around


def compare(day: Day) -> None:
    """The first comparison opens the gate: until it agrees, live trading cannot be turned on."""
    gate = day.trader.read(f"/risk/live/{day.account.pk}/")
    gate.says("press Compare now on the Brokers page", "Set a rule")
    brokers = day.trader.read("/brokers/")
    done = day.trader.press(brokers, f"/orders/reconcile/{day.account.pk}/")
    done.says("agrees with its broker")
    done.row(day.account.name, "Connected", "Agrees")


def turn_live_on(day: Day) -> None:
    """A largest loss for the day, the account's name, the password."""
    rule = day.trader.read("/risk/rules/add/")
    limit = {"rule_type": "MAX_DAILY_LOSS", "rule_value": "5000"}
    day.trader.press(rule, **limit).says("The rule is in force")
    take_both_steps(day)


def take_both_steps(day: Day) -> None:
    gate = day.trader.read(f"/risk/live/{day.account.pk}/")
    second = day.trader.press(gate, name=day.account.name)
    second.says("Turn live trading on", "The last step: your password")
    day.trader.press(second, password=PASSWORD).says("Live trading is on", "Turn off")
    day.trader.read("/notifications/").says("Live trading was turned on")


def change_and_fill_in_part(day: Day) -> None:
    order = day.place("first", below="5")
    day.look(order).says("Open", "0 of 10", "Passed every risk check")
    change = day.trader.read(f"/orders/{order.pk}/modify/")
    wanted = day.price_on_tick(below="4")
    day.trader.press(change, price=f"{wanted}").says("The change is on its way to the broker")
    day.work()
    day.look(order).says(f"limit {wanted:,.2f}")
    assert day.at_broker(order).price == wanted
    fill_in_part(day, order, price=wanted)
    day.trader.read("/orders/trades/").row(day.symbol, "4")
    day.trader.read("/positions/").row(day.symbol, "+4")


def fill_in_part(day: Day, order: Order, *, price: Decimal) -> None:
    """The fill comes by the broker's order stream, before anybody has read the book."""
    with listening(day.world, StreamKind.ORDERS) as stream:
        day.trade(price, volume=16)
        stream.until(lambda: Order.objects.filter(pk=order.pk, filled_quantity=4).exists())
        day.look(order).says("Partly filled", "4 of 10", "6 not filled yet")
        day.read_connection().says("Orders Connected")
    day.work()


def cancel_the_rest(day: Day) -> None:
    order = day.orders["first"]
    day.trader.press(day.trader.read(f"/orders/{order.pk}/cancel/")).says("Cancel sent for")
    day.work()
    day.work()
    day.look(order).says("Cancelled", "4 of 10", "Ended")


def be_refused(day: Day) -> None:
    """The broker's risk desk takes the order and refuses it in its book, in its own words."""
    day.served.faults.arm("rms_in_book", match="place")
    order = day.place("refused", below="5")
    words = day.stand.refusal
    day.look(order).says("Refused by the broker", "0 of 10", words)
    day.trader.read("/orders/").row(day.symbol, "Refused by the broker", words)
    day.trader.read("/notifications/").says(words)


def lose_an_answer(day: Day) -> None:
    """The order arrives and its answer does not; nothing more of the share is let in."""
    day.served.faults.arm("drop_reply", match=day.stand.placing)
    order = day.place("lost", below="5", settled=False)
    day.look(order).says("We do not know whether the broker has this order", "will not send it")
    day.trader.read("/orders/").row(day.symbol, "Unknown")
    day.be_denied("may or may not be live")


def find_what_was_lost(day: Day) -> None:
    """Looked up by its tag: it was there all the time, once."""
    order = day.orders["lost"]
    day.settle()
    day.look(order).says("Open", "0 of 10", day.at_broker(order).order_id)


def trade_in_the_brokers_app(day: Day) -> None:
    price = day.world.price
    day.world.place_outside(Side.BUY, 5, price=price + 1)
    day.trade(price)
    day.work()
    day.trader.read("/orders/").row(day.symbol, "Filled 5 of 5", "Broker's own app")
    day.trader.read("/positions/").row(day.symbol, "+9")


def be_signed_out(day: Day) -> None:
    """The broker ends the session: the pages ask for a login, and nothing leaves, no cancel too."""
    requests.post(f"{day.served.server.url}/_sim/expire_tokens", json={}, timeout=5)
    day.work()
    day.read_connection().says("Signed out", SENDS_NOTHING)
    brokers = day.trader.read("/brokers/")
    brokers.says("is signed out at")
    brokers.row(day.account.name, "Signed out")
    day.be_denied("Nobody is logged in at")
    order = day.orders["lost"]
    day.trader.press(day.trader.read(f"/orders/{order.pk}/cancel/"))
    day.work()
    day.look(order).says("Open", "Nobody is logged in at")
    assert day.at_broker(order).state is OrderState.OPEN


def sign_in_again(day: Day) -> None:
    """Each broker has its way back; then an order goes through as on any morning."""
    page = day.read_connection()
    {"alpaca": enter_new_keys, "dhan": paste_a_token}.get(day.stand.name, press_log_in)(day, page)
    day.read_connection().says("Session Connected")
    if day.stand.name == "alpaca":
        day.trader.read("/notifications/").says("Live trading was turned off for Alpaca")
        take_both_steps(day)
    day.work()
    order = day.place("after", below="0")
    day.trade(day.world.price - 1)
    day.work()
    day.look(order).says("Filled", "10 of 10")
    day.trader.read("/positions/").row(day.symbol, "+19")


def press_log_in(day: Day, page: Page) -> None:
    day.trader.press(page, f"{page.address}log-in/").says("Logging in at")
    day.log_in()
    sign_in_at_broker(day)


def paste_a_token(day: Day, page: Page) -> None:
    day.trader.press(page, f"{page.address}token/", token=f"{PASTED}-{day.stand.client}")
    day.log_in()


def enter_new_keys(day: Day, page: Page) -> None:
    day.served.app.state.alpaca.is_keyed = True
    typed = {f"field_{field}": value for field, value in day.stand.credentials.items()}
    day.trader.press(day.trader.read(f"{page.address}credentials/"), **typed)
    day.log_in()


def assert_all_agrees(day: Day) -> None:
    """What the broker has is here: each order once, its fills, the position; and nothing else."""
    day.work()
    theirs = day.world.all_at_broker()
    sent = Order.objects.exclude(broker_order_id="")
    assert {each.order_id for each in theirs} == set(sent.values_list("broker_order_id", flat=True))
    for each in theirs:
        assert_same(sent.get(broker_order_id=each.order_id), each)
    tags = Counter(each.tag for each in theirs if each.tag)
    assert set(tags.values()) == {1}
    fills = day.served.broker.trades(day.stand.client)
    assert sorted((each.quantity, each.price) for each in fills) == sorted(
        Trade.objects.values_list("quantity", "price")
    )
    assert position_of(day.world) == sum(each.quantity * each.side.sign for each in fills) == 19
    day.trader.read("/brokers/").row(day.account.name, "Connected", "Agrees")
