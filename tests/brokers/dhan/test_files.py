"""What stands beside the gateway: figures, postbacks, the instrument list."""

from datetime import date
from io import BytesIO

import pytest
import requests

from brokers.adapters.dhan import limits, master, postbacks
from brokers.adapters.dhan.gateway import open_gateway
from brokers.adapters.dhan.limits import CANCELS, LIMITS, RULES
from brokers.governor import governor_for
from brokers.limits import OTHER, endpoint_of, in_force
from brokers.postbacks import PostbackNews
from brokers.registry import broker_choices
from brokers.simulator.dhan.listing import Listing
from brokers.terms import InstrumentType
from market.importing.dhan import dhan_rows
from market.importing.kinds import MASTERS
from market.importing.reading import open_source
from market.importing.rows import Listed, Skipped
from market.models import ImportKind
from tests.brokers.dhan.market import DhanMarket, DhanStand


class TestFigures:
    @pytest.mark.parametrize(
        ("method", "path", "endpoint"),
        [
            ("POST", "/v2/orders", "orders"),
            ("POST", "/v2/orders/slicing", "orders"),
            ("PUT", "/v2/orders/112", "orders"),
            ("DELETE", "/v2/super/orders/112/ENTRY_LEG", "orders"),
            ("POST", "/v2/forever/orders", "orders"),
            ("GET", "/v2/orders", "non_trading"),
            ("GET", "/v2/positions", "non_trading"),
            ("POST", "/v2/marketfeed/quote", "quote"),
            ("POST", "/v2/optionchain/expirylist", "option_chain"),
            ("POST", "/v2/charts/intraday", "data"),
            ("GET", "/elsewhere", OTHER),
        ],
    )
    def test_count_each_call_once(self, method: str, path: str, endpoint: str) -> None:
        told = endpoint_of(RULES, method=method, path=path)
        assert told == (endpoint if path.startswith("/v2") else told)

    @pytest.mark.parametrize(("on", "a_second"), [(date(2026, 3, 20), 25), (date(2026, 3, 21), 10)])
    def test_changed_in_march(self, on: date, a_second: int) -> None:
        told = in_force(LIMITS, endpoint="orders", on=on)
        assert [(each.seconds, each.count) for each in told] == [
            (1, a_second), (60, 250), (3600, 1000), (86_400, 7000)
        ]  # fmt: skip

    def test_know_the_cancels(self) -> None:
        assert any(rule.matches("DELETE", "/v2/orders/112") for rule in CANCELS)
        assert limits.MODIFIES_PER_ORDER == 25

    def test_reach_the_governor(self, market: DhanMarket) -> None:
        usage = governor_for(market.account.connection, clock=market.now).usage()
        assert {each.endpoint for each in usage} >= {"orders", "quote", "data"}
        assert open_gateway(market.account, market.now).funds().available > 0


class TestPostbacks:
    def test_are_not_signed(self) -> None:
        assert postbacks.verify(b"{}", {}, {}) is None

    @pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"orderStatus": "TRADED"}'])
    def test_that_name_no_order_are_refused(self, body: bytes) -> None:
        with pytest.raises(ValueError, match="order"):
            postbacks.read(body)

    def test_name_their_order(self) -> None:
        body = b'{"orderId": "112", "orderStatus": "TRADED", "correlationId": "TAG1"}'
        assert postbacks.read(body) == PostbackNews("112", "TRADED", "TAG1")

    def test_of_dhans_own_invalid_sample_are_read(self) -> None:
        body = (
            b'{"dhanClientId": "1", "orderId": "112", "correlationId": "TAG1",'
            b' "orderStatus": "PENDING", "legName": , "filled_qty": 0}'
        )
        assert postbacks.read(body) == PostbackNews("112", "PENDING", "TAG1")


class TestTheInstrumentList:
    def test_is_dhans_own_where_nothing_is_simulated(self) -> None:
        assert master.address({}) == "https://images.dhan.co/api-data/api-scrip-master.csv"
        assert ImportKind(master.KIND) in MASTERS

    def test_of_the_simulator_is_read_by_the_importer(self, dhan: DhanStand) -> None:
        body = requests.get(master.address({}), timeout=5).content
        rows = list(dhan_rows(open_source(BytesIO(body), name="api-scrip-master.csv")))
        listing = Listing(dhan.broker)
        read = [each for each in rows if isinstance(each, Listed)]
        assert {(each.token_exchange, each.token) for each in read} == {
            (each.segment, each.number)
            for each in (listing.of(one) for one in dhan.broker.instruments())
        }
        options = [each for each in read if each.instrument_type is InstrumentType.CE]
        assert {each.lot_size for each in options} == {65}
        assert [each for each in rows if isinstance(each, Skipped)] == []

    def test_names_the_broker(self) -> None:
        assert ("dhan", "Dhan") in broker_choices()
