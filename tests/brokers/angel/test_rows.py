"""Angel One's rows, as documented and as recorded, in the house's."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.adapters.angel import rows
from brokers.adapters.angel.envelope import read_envelope
from brokers.gateway import BrokerStatus
from brokers.rows import rows_of
from brokers.terms import OrderType, Product, Side, Validity
from brokers.values import Row, Unreadable

NOW = datetime(2023, 12, 29, 4, 0, tzinfo=UTC)
# Types as in real answers: prices are numbers, quantities texts, what is missing null or "".
ORDER = b"""{"variety":"NORMAL","ordertype":"LIMIT","producttype":"DELIVERY","duration":"DAY",
"price":10.55,"triggerprice":0.0,"quantity":"1","disclosedquantity":"0","squareoff":0.0,
"stoploss":0.0,"trailingstoploss":0.0,"tradingsymbol":"DEMO-EQ","transactiontype":"BUY",
"exchange":"NSE","symboltoken":"9999","ordertag":null,"instrumenttype":"","strikeprice":-1.0,
"optiontype":"","expirydate":"","lotsize":"1","cancelsize":"0","averageprice":0.0,
"filledshares":"0","unfilledshares":"1","orderid":"231229000008865","text":"","status":"open",
"orderstatus":"open","updatetime":"29-Dec-2023 09:01:02","exchtime":"","exchorderupdatetime":"",
"fillid":"","filltime":"","parentorderid":"","uniqueorderid":"u","exchangeorderid":"1100"}"""


def key_of(exchange: str, token: str) -> str:
    return f"{exchange}#{token}"


def order(**changes: Any) -> Row:
    envelope = read_envelope(b'{"status":true,"data":' + ORDER + b"}")
    return {**envelope.data, **changes}


def report(**changes: Any) -> Any:
    return rows.order_report(order(**changes), key_of, now=NOW)


class TestOrderRow:
    def test_is_read_as_recorded(self) -> None:
        told = report()
        assert (told.broker_order_id, told.tag, told.instrument_key) == (
            "231229000008865",
            "",
            "NSE#9999",
        )
        assert (told.price, told.trigger_price, told.average_price) == (
            Decimal("10.55"),
            None,
            None,
        )
        assert (told.order_type, told.product, told.validity, told.side) == (
            OrderType.LIMIT,
            Product.CNC,
            Validity.DAY,
            Side.BUY,
        )
        assert told.updated_at == datetime(2023, 12, 29, 3, 31, 2, tzinfo=UTC)

    def test_is_read_with_texts_as_documented(self) -> None:
        told = report(price="10.55", triggerprice="0", quantity="1", averageprice="0")
        assert told == report()

    def test_believes_orderstatus_before_status(self) -> None:
        told = report(status="modified", orderstatus="trigger pending")
        assert told.status is BrokerStatus.TRIGGER_PENDING

    def test_without_a_time_never_outranks_one_with_it(self) -> None:
        told = report(updatetime="")
        assert told.updated_at == datetime(2023, 12, 28, 18, 30, tzinfo=UTC)
        assert told == report(updatetime="")

    @pytest.mark.parametrize(
        "changes",
        [
            {"orderid": ""},
            {"orderstatus": "teleported"},
            {"producttype": "GOLD"},
            {"ordertype": ""},
            {"transactiontype": "HOLD"},
            {"quantity": "x"},
            {"exchange": None},
            {"symboltoken": "", "tradingsymbol": "NA"},
        ],
    )
    def test_that_cannot_be_read_spoils_the_book(self, changes: dict[str, str]) -> None:
        with pytest.raises(Unreadable):
            report(**changes)

    @pytest.mark.parametrize("missing", [None, "", "null", -(2**31)])
    def test_without_its_number_is_of_what_it_names(self, missing: object) -> None:
        assert report(symboltoken=missing).instrument_key == "NSE#DEMO-EQ"

    @pytest.mark.parametrize("missing", [None, "", "--", "null"])
    def test_that_is_complete_has_filled_in_whole(self, missing: object) -> None:
        told = report(orderstatus="complete", quantity="100", filledshares=missing)
        assert (told.status, told.filled_quantity) == (BrokerStatus.FILLED, 100)

    def test_that_was_cancelled_has_filled_all_but_the_rest(self) -> None:
        told = report(
            orderstatus="cancelled", quantity="100", filledshares=None, unfilledshares="60"
        )
        assert told.filled_quantity == 40

    def test_of_which_nobody_tells_what_has_filled_is_not_read(self) -> None:
        with pytest.raises(Unreadable, match="filled quantity"):
            report(orderstatus="open", filledshares=None, unfilledshares="--")


class TestOtherRows:
    @pytest.mark.parametrize("told", ["--", None, "", "null", "9999999999", "-2147483648"])
    def test_a_position_whose_quantity_is_no_number_is_not_flat(self, told: object) -> None:
        row = {"exchange": "NSE", "symboltoken": "9999", "producttype": "INTRADAY", "netqty": told}
        with pytest.raises(Unreadable, match="netqty"):
            rows.position_report(row, key_of)

    @pytest.mark.parametrize("told", ["null", "--", None, "NA"])
    def test_a_holding_without_a_pledge_has_none(self, told: object) -> None:
        row = {
            "exchange": "NSE", "symboltoken": "9999", "realisedquantity": "5", "t1quantity": "0",
            "averageprice": "1", "collateralquantity": told,
        }  # fmt: skip
        assert rows.holding_report(row, key_of).collateral_quantity == 0

    def test_money_beyond_any_account_is_not_believed(self) -> None:
        with pytest.raises(Unreadable, match="net"):
            rows.funds_report({"net": "9999999999999", "availablecash": "1"})

    def test_a_fill_is_named_by_order_and_fill(self) -> None:
        row = {
            "orderid": "231229000008865",
            "fillid": "50005750",
            "fillprice": "10.50",
            "fillsize": "1",
            "filltime": "09:27:53",
            "transactiontype": "BUY",
            "producttype": "DELIVERY",
        }
        told = rows.trade_report(row, "NSE:DEMO", now=NOW)
        assert told.trade_id == "231229000008865-50005750"
        assert (told.quantity, told.price) == (1, Decimal("10.50"))
        assert told.traded_at == datetime(2023, 12, 29, 3, 57, 53, tzinfo=UTC)

    def test_a_fill_without_a_number_is_refused(self) -> None:
        with pytest.raises(Unreadable):
            rows.trade_report({"orderid": "1", "fillid": ""}, "k", now=NOW)

    def test_a_position_that_is_short_has_the_selling_average(self) -> None:
        row = {
            "exchange": "NFO",
            "symboltoken": "2303",
            "producttype": "CARRYFORWARD",
            "buyqty": "0",
            "sellqty": "75",
            "buyavgprice": "0.0",
            "totalbuyavgprice": "",
            "totalsellavgprice": "29.81",
            "netvalue": "- 2235.80",
            "netqty": "-75",
        }
        told = rows.position_report(row, key_of)
        assert (told.quantity, told.average_price, told.realized_pnl) == (-75, Decimal("29.81"), 0)

    def test_a_closed_position_has_what_it_made(self) -> None:
        row = {
            "exchange": "NSE",
            "symboltoken": "9999",
            "producttype": "INTRADAY",
            "buyqty": "10",
            "sellqty": "10",
            "buyavgprice": "100",
            "sellavgprice": "101.50",
            "netqty": "0",
        }
        told = rows.position_report(row, key_of)
        assert (told.quantity, told.realized_pnl) == (0, Decimal("15.0000"))

    def test_a_holding_keeps_tomorrow_s_shares_apart(self) -> None:
        row = {
            "exchange": "NSE",
            "symboltoken": "9999",
            "isin": "INE000A01011",
            "t1quantity": 3,
            "realisedquantity": 2,
            "quantity": 5,
            "authorisedquantity": 1,
            "collateralquantity": None,
            "averageprice": Decimal("111.87"),
        }
        told = rows.holding_report(row, key_of)
        assert (told.quantity, told.t1_quantity, told.collateral_quantity) == (2, 3, 0)
        assert rows.sale_authorisation(row).approved_quantity == 1

    def test_funds_need_net_and_cash(self) -> None:
        with pytest.raises(Unreadable):
            rows.funds_report({"net": None, "availablecash": "1"})

    def test_funds_may_leave_the_rest_null(self) -> None:
        told = rows.funds_report(
            {"net": "90.0000", "availablecash": "100.0000", "utiliseddebits": None}
        )
        assert (told.available, told.cash, told.margin_used) == (90, 100, 0)

    @pytest.mark.parametrize("told", ["['bse_cm', 'nse_cm']", ["bse_cm", "nse_cm"]])
    def test_a_profile_lists_in_two_ways(self, told: object) -> None:
        data = {"clientcode": "D100", "name": "N", "exchanges": told, "products": None}
        assert rows.profile_of(data, valid_until=None).exchanges == ("bse_cm", "nse_cm")

    @pytest.mark.parametrize("data", [{}, "", "x", [1], 7])
    def test_a_book_that_is_no_list_is_refused(self, data: object) -> None:
        with pytest.raises(Unreadable):
            rows_of(data, "book", takes_null=True)

    def test_a_null_book_is_an_empty_one(self) -> None:
        assert rows_of(None, "book", takes_null=True) == []
