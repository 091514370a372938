"""From the instrument list to a fill, through the registry and its governor."""

from decimal import Decimal
from io import BytesIO

import pytest
import requests

from brokers.adapters.kite.client import KiteClient
from brokers.adapters.kite.master import address, headers
from brokers.gateway import BrokerStatus
from brokers.registry import gateway_for
from brokers.sessions import session_secrets
from brokers.simulator.kite.listing import written
from brokers.terms import InstrumentType, OrderType
from market.importing.kite import kite_rows
from market.importing.reading import open_source
from market.importing.rows import Listed
from tests.brokers.contract import buy, cancel_of, change_of, placed, report_of
from tests.brokers.kite.market import KiteMarket, instruments, ref_of


def listed_in(master: bytes) -> dict[str, Listed]:
    """What the importer reads in a list, by Kite's number."""
    source = open_source(BytesIO(master), name="instruments.csv")
    rows = list(kite_rows(source))
    assert all(isinstance(row, Listed) for row in rows), rows
    return {row.token: row for row in rows if isinstance(row, Listed)}


@pytest.fixture(params=["with a session", "without one"])
def master(kite: KiteMarket, request: pytest.FixtureRequest) -> bytes:
    secrets = session_secrets(kite.account.connection, now=kite.now())
    sent = headers(secrets if request.param == "with a session" else {})
    return requests.get(address({}), headers=sent, timeout=5).content


class TestMaster:
    def test_it_is_read_by_the_importer_whole(self, master: bytes) -> None:
        listed = listed_in(master)
        for instrument in instruments():
            ref = ref_of(instrument)
            row = listed[ref.token]
            assert row.broker_symbol == ref.broker_symbol
            assert (row.lot_size, row.expiry) == (ref.lot_size, ref.expiry)
            assert (row.segment, row.instrument_type) == (ref.segment, ref.instrument_type)

    def test_strikes_are_rupees(self, master: bytes) -> None:
        strikes = {row.strike for row in listed_in(master).values() if row.option_type}
        assert Decimal(25000) in strikes

    def test_the_sdk_reads_it_too(self, kite: KiteMarket) -> None:
        secrets = session_secrets(kite.account.connection, now=kite.now())
        client = KiteClient(api_key=secrets["api_key"], access_token=secrets["access_token"])
        told = client.instruments("NFO")
        client.reqsession.close()
        wanted = [each for each in instruments() if each.exchange == "NFO"]
        assert {row["instrument_token"] for row in told} == {
            int(ref_of(each).token) for each in wanted
        }

    def test_an_index_has_kite_s_own_number(self) -> None:
        indices = [each for each in instruments() if each.kind is InstrumentType.INDEX]
        told = {ref_of(each).key: ref_of(each).token for each in indices}
        assert told == {"NSE:NIFTY 50": "256265", "NSE:NIFTY BANK": "260105"}

    def test_an_empty_list_has_its_columns(self) -> None:
        assert written([]).startswith("instrument_token,exchange_token,tradingsymbol")


class TestThroughTheRegistry:
    def test_an_order_goes_its_way_and_is_counted(self, kite: KiteMarket) -> None:
        gateway = gateway_for(kite.account, clock=kite.stand.clock)
        kite.trade("101.00")
        request = buy(kite.share)
        broker_order_id = placed(gateway.place(request))
        kite.wait()
        placed(gateway.modify(change_of(broker_order_id, request, price=Decimal("100.50"))))
        kite.wait()
        kite.trade("100.00", volume=16)
        assert report_of(gateway, broker_order_id).status is BrokerStatus.PARTIALLY_FILLED
        placed(gateway.cancel(cancel_of(broker_order_id, kite.share)))
        kite.wait()
        told = report_of(gateway, broker_order_id)
        assert (told.status, told.filled_quantity) == (BrokerStatus.CANCELLED, 4)
        assert [each.quantity for each in gateway.positions()] == [4]

    def test_a_market_order_shows_as_the_limit_its_protection_made(self, kite: KiteMarket) -> None:
        kite.trade("100.00")
        request = buy(kite.share, tag="MARKET1", order_type=OrderType.MARKET, price=None)
        report = report_of(kite.gateway, placed(kite.gateway.place(request)))
        assert (report.order_type, report.price) == (OrderType.LIMIT, Decimal(102))
        assert report.tag == "MARKET1"
