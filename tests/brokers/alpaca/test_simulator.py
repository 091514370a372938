"""The simulated Alpaca is Alpaca to the official SDK, whose models take nothing strange."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from brokers.adapters.alpaca import master
from brokers.adapters.alpaca.client import APIError, TradingClient
from brokers.simulator.alpaca.desk import API_KEY, API_SECRET, CLIENT
from brokers.simulator.limits import Limit, Window
from brokers.terms import Side
from tests.brokers.alpaca.market import CREDENTIALS, AlpacaMarket
from tests.brokers.contract import buy, change_of, placed


@pytest.fixture
def sdk(alpaca: AlpacaMarket) -> Iterator[Any]:
    """The SDK as it comes, with its strict models."""
    client = TradingClient(API_KEY, API_SECRET, url_override=alpaca.stand.server.url)
    yield client
    client._session.close()


@pytest.fixture
def resting(alpaca: AlpacaMarket) -> str:
    alpaca.trade("101.00")
    broker_order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
    alpaca.wait()
    return broker_order_id


class TestSimulatedAlpaca:
    def test_wrong_keys_are_refused(self, alpaca: AlpacaMarket) -> None:
        url = f"{alpaca.stand.server.url}/v2/account"
        answer = requests.get(url, timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (401, 40110000)

    def test_an_unknown_path_is_not_found(self, alpaca: AlpacaMarket) -> None:
        assert requests.get(f"{alpaca.stand.server.url}/v3/x", timeout=5).status_code == 404

    def test_after_200_calls_in_a_minute_no_more_are_answered(self, alpaca: AlpacaMarket) -> None:
        counter, limit = alpaca.stand.app.state.counter, Limit("trading", Window.MINUTE, 200)
        while counter.used(CLIENT, limit) < 200:
            counter.allows(CLIENT, [limit])
        url = f"{alpaca.stand.server.url}/v2/clock"
        headers = {"APCA-API-KEY-ID": API_KEY, "APCA-API-SECRET-KEY": API_SECRET}
        answer = requests.get(url, headers=headers, timeout=5)
        assert (answer.status_code, answer.headers["X-Ratelimit-Remaining"]) == (429, "0")

    def test_orders_and_their_replacements_are_models(
        self, alpaca: AlpacaMarket, sdk: Any, resting: str
    ) -> None:
        alpaca.gateway.modify(change_of(resting, buy(alpaca.share), quantity=4))
        alpaca.wait()
        (newest,) = sdk.get_orders()
        first = sdk.get_order_by_id(resting)
        assert (str(first.replaced_by), str(newest.replaces)) == (str(newest.id), resting)
        assert (first.status.value, newest.qty) == ("replaced", "4")

    def test_an_original_is_found_by_its_name(
        self, alpaca: AlpacaMarket, sdk: Any, resting: str
    ) -> None:
        alpaca.gateway.modify(change_of(resting, buy(alpaca.share), quantity=4))
        assert str(sdk.get_order_by_client_id("TAG1").id) == resting

    def test_all_orders_are_cancelled_one_by_one(
        self, alpaca: AlpacaMarket, sdk: Any, resting: str
    ) -> None:
        (answer,) = sdk.cancel_orders()
        assert (str(answer.id), answer.status) == (resting, 200)

    def test_shares_and_money_are_models(
        self, alpaca: AlpacaMarket, sdk: Any, resting: str
    ) -> None:
        alpaca.own(5)
        alpaca.trade("99.00", volume=1000)
        (position,) = sdk.get_all_positions()
        assert (position.qty, position.exchange.value) == ("15", "NASDAQ")
        assert sdk.get_account().currency == "USD"
        assert len(sdk.get_all_assets()) == 6
        assert sdk.get_clock().is_open

    def test_its_list_of_assets_is_where_the_adapter_says(self, alpaca: AlpacaMarket) -> None:
        wants = master.headers(CREDENTIALS)
        rows = requests.get(master.address(CREDENTIALS), headers=wants, timeout=5).json()
        assert {row["symbol"] for row in rows} >= {"AAPL", "KO"}

    def test_a_used_name_is_refused_as_alpaca_does(
        self, alpaca: AlpacaMarket, sdk: Any, resting: str
    ) -> None:
        row = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market",
               "time_in_force": "day", "client_order_id": "TAG1"}  # fmt: skip
        with pytest.raises(APIError) as caught:
            sdk.post("/orders", row)
        assert (caught.value.status_code, caught.value.code) == (422, 40010001)

    def test_more_than_is_held_is_not_sold(self, alpaca: AlpacaMarket) -> None:
        alpaca.own(5)
        outcome = alpaca.gateway.place(buy(alpaca.share, side=Side.SELL, quantity=6))
        assert "insufficient qty" in str(outcome)


class TestOwnShares:
    def test_a_sale_of_earlier_shares_is_a_position_beside_the_holding(
        self, alpaca: AlpacaMarket
    ) -> None:
        alpaca.own(5)
        alpaca.trade("101.00")
        placed(alpaca.gateway.place(buy(alpaca.share, side=Side.SELL, quantity=2)))
        alpaca.wait()
        alpaca.trade("101.00", volume=1000)
        (position,), (holding,) = alpaca.gateway.positions(), alpaca.gateway.holdings()
        assert (position.quantity, holding.quantity) == (-2, 5)
