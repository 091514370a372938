"""Alpaca's list of assets: American shares in dollars, found by their symbols."""

import json
from decimal import Decimal

import pytest

from brokers.adapters.alpaca.master import KIND
from brokers.adapters.alpaca.words import EXCHANGE
from brokers.directory import key_at
from brokers.simulator.alpaca.rows import asset_row
from brokers.simulator.instruments import us_market
from market.directory import BrokerNumbers
from market.importing.rows import FileRefused
from market.models import ImportKind, ImportRun, Instrument
from tests.market.files import import_text

pytestmark = pytest.mark.django_db


def asset(symbol: object = "AAPL", **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": "Apple Inc. Common Stock",
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": True,
        "fractionable": True,
        "attributes": [],
    }
    return {**row, **changes}


def import_assets(*assets: dict[str, object]) -> ImportRun:
    return import_text(json.dumps(assets), kind=ImportKind.ALPACA_MASTER, name="assets.json")


class TestAlpacaMaster:
    def test_a_file_that_breaks_off_is_refused(self) -> None:
        run = import_text(json.dumps([asset(), asset("MSFT")])[:-20], name="assets.json")
        assert "breaks off" in run.error_message
        assert not Instrument.objects.exists()

    def test_json_of_another_kind_is_refused(self) -> None:
        with pytest.raises(FileRefused, match="nor Alpaca's assets"):
            import_text('[{"token": "1"}]', name="assets.json")

    @pytest.mark.parametrize(
        ("changes", "words"),
        [({"exchange": "OTC"}, "is not traded here"), ({"tradable": False}, "does not trade it"),
         ({"symbol": ""}, "The symbol")],
    )  # fmt: skip
    def test_what_cannot_be_traded_is_left_out_in_words(
        self, changes: dict[str, object], words: str
    ) -> None:
        run = import_assets(asset("MSFT"), asset(**changes))
        assert words in run.issues.get().reason

    @pytest.mark.parametrize("changes", [{"status": "inactive"}, {"class": "crypto"}])
    def test_what_is_no_share_is_no_row(self, changes: dict[str, object]) -> None:
        run = import_assets(asset("MSFT"), asset(**changes))
        assert (run.rows_written, run.rows_skipped) == (1, 0)

    def test_a_share_is_in_dollars_and_cents(self) -> None:
        import_assets(asset())
        share = Instrument.objects.get()
        assert (share.key, share.segment, share.currency) == ("NASDAQ:AAPL", "US_EQ", "USD")
        assert (share.tick_size, share.lot_size) == (Decimal("0.01"), 1)

    def test_a_fund_of_the_new_york_exchange_s_other_market_is_listed_there(self) -> None:
        import_assets(asset("SPY", exchange="ARCA"))
        assert Instrument.objects.get().key == "NYSE:SPY"

    def test_its_symbol_is_its_number(self) -> None:
        import_assets(asset())
        assert key_at("alpaca", exchange=EXCHANGE, token="AAPL") == "NASDAQ:AAPL"
        ref = BrokerNumbers().ref_of("alpaca", "NASDAQ:AAPL")
        assert ref is not None
        assert (ref.broker_symbol, ref.currency) == ("AAPL", "USD")

    def test_it_is_known_by_its_first_lines(self) -> None:
        run = import_text(json.dumps([asset_row(each) for each in us_market()]), name="a.json")
        assert (run.kind, run.rows_written) == (KIND, len(us_market()))

    def test_indian_shares_stay_in_rupees(self) -> None:
        import_assets(asset())
        import_text(
            "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,"
            "tick_size,lot_size,instrument_type,segment,exchange\n"
            "738561,2885,RELIANCE,RELIANCE,0.0,,0.0,0.1,1,EQ,NSE,NSE\n"
        )
        assert Instrument.objects.get(key="NSE:RELIANCE").currency == "INR"


class TestAnAssetThatIsRenamed:
    def test_is_the_same_instrument_under_its_new_number(self) -> None:
        import_assets(asset("FB"), *others())
        held = Instrument.objects.get(trading_symbol="FB")
        import_assets(asset("META"), *others())
        held.refresh_from_db()
        assert (held.key, held.trading_symbol) == ("NASDAQ:FB", "META")
        assert BrokerNumbers().key_of("alpaca", exchange=EXCHANGE, token="META") == "NASDAQ:FB"

    def test_leaves_its_symbol_to_another_asset(self) -> None:
        import_assets(asset("FB"), *others())
        held = Instrument.objects.get(trading_symbol="FB")
        import_assets(asset("META"), asset("FB", id="another"), *others())
        number = BrokerNumbers().key_of("alpaca", exchange=EXCHANGE, token="FB")
        assert number == "NASDAQ:FB@2"
        assert BrokerNumbers().key_of("alpaca", exchange=EXCHANGE, token="META") == held.key


def others() -> list[dict[str, object]]:
    return [asset(f"OTHER{number}", id=f"other {number}") for number in range(10)]
