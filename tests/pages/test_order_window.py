import re
import uuid
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts.models import Membership, Role, Workspace
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from market.models import Instrument
from market.quotes import put_quotes
from orders.models import Order
from orders.states import OrderStatus
from risk.models import Reservation, RiskRule, RuleType, Trading, TradingState
from tests.builders import make_instrument, make_user, make_workspace
from tests.pages.conftest import quote_at
from tests.pages.test_home import make_position

HTMX = {"HX-Request": "true"}
URL = "/orders/new/"


def typed(account: TradingAccount, share: Instrument, **changes: str) -> dict[str, str]:
    """A limit order for 10, as the window sends it; empty leaves a field out."""
    fields = {
        "instrument": share.key,
        "account": str(account.pk),
        "side": "BUY",
        "product": "MIS",
        "order_type": "LIMIT",
        "validity": "DAY",
        "quantity": "10",
        "price": "1400.00",
        "idempotency_key": str(uuid.uuid4()),
    } | changes
    return {name: value for name, value in fields.items() if value}


def complaint(content: bytes, field: str) -> str:
    found = re.search(rf'id="err_{field}"[^>]*>(.*?)</p>', content.decode(), re.DOTALL)
    assert found, f"the window shows no place for complaints about {field}"
    return found.group(1)


class TestOrderWindowRefuses:
    def test_a_stranger(self, client: Client, share: Instrument) -> None:
        assert client.get(URL, {"instrument": share.key}).status_code == 302

    def test_a_viewer(
        self, client: Client, workspace: Workspace, account: TradingAccount, share: Instrument
    ) -> None:
        viewer = make_user("vik")
        Membership.objects.create(workspace=workspace, user=viewer, role=Role.VIEWER)
        client.force_login(viewer)
        assert client.post(URL, typed(account, share)).status_code == 403
        assert not Order.objects.exists()

    def test_an_instrument_that_does_not_exist(self, browser: Client) -> None:
        assert browser.get(URL, {"instrument": "NSE:NOTHING"}).status_code == 404

    def test_an_account_of_another_desk(
        self, browser: Client, account: TradingAccount, share: Instrument, now: datetime
    ) -> None:
        other = make_user("mira")
        theirs = open_paper_account(
            make_workspace(other), user=other, name="Hers", cash=Decimal(100000), now=now
        )
        answer = browser.post(URL, typed(theirs, share))
        assert "Choose an account" in complaint(answer.content, "account")
        assert not Order.objects.exists()

    def test_a_desk_without_accounts_in_words(self, browser: Client, share: Instrument) -> None:
        answer = browser.get(URL, {"instrument": share.key})
        assert answer.status_code == 403
        assert b"Open a paper account first" in answer.content

    def test_a_price_off_the_tick_and_offers_the_nearest(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        answer = browser.post(URL, typed(account, share, price="1400.03"))
        words = complaint(answer.content, "price")
        assert answer.status_code == 422
        assert "steps of 0.05" in words and 'value="1400.00"' in words
        assert not Order.objects.exists()

    @pytest.mark.parametrize("name", ["tp_price", "sl_price"])
    def test_a_price_that_nothing_would_act_on(
        self, browser: Client, account: TradingAccount, share: Instrument, name: str
    ) -> None:
        page = browser.post(URL, typed(account, share, **{name: "1350.00"}))
        assert b"place it as an order of its own" in page.content
        assert not Order.objects.exists()

    @pytest.mark.parametrize("quantity", ["", "0", "-5", "1.5", "ten", "9" * 30])
    def test_a_quantity_that_is_none(
        self, browser: Client, account: TradingAccount, share: Instrument, quantity: str
    ) -> None:
        answer = browser.post(URL, typed(account, share, quantity=quantity))
        assert complaint(answer.content, "quantity")
        assert not Order.objects.exists()

    @pytest.mark.parametrize("price", ["NaN", "Infinity", "-1", "1e30"])
    def test_a_price_that_is_none(
        self, browser: Client, account: TradingAccount, share: Instrument, price: str
    ) -> None:
        answer = browser.post(URL, typed(account, share, price=price))
        assert complaint(answer.content, "price")

    def test_what_risk_refuses_and_keeps_the_window(
        self, browser: Client, workspace: Workspace, account: TradingAccount, share: Instrument
    ) -> None:
        RiskRule.objects.create(
            workspace=workspace,
            user=workspace.owner,
            rule_type=RuleType.MAX_POSITION_SIZE,
            rule_value=Decimal(1000),
        )
        sent = typed(account, share)
        answer = browser.post(URL, sent, headers=HTMX)
        order = Order.objects.get()
        assert order.status == OrderStatus.DENIED
        assert order.error_message in answer.content.decode()
        assert sent["idempotency_key"] not in answer.content.decode()
        assert "Margin needed" in answer.content.decode()

    @pytest.mark.parametrize("price", ["1_400", "१४००", "14e2", "1400,00", "1.4.0", "9" * 30])
    def test_a_price_that_nobody_types(
        self, browser: Client, account: TradingAccount, share: Instrument, price: str
    ) -> None:
        answer = browser.post(URL, typed(account, share, price=price))
        assert complaint(answer.content, "price")
        assert not Order.objects.exists()

    def test_by_saying_beforehand_that_the_desk_is_halted(
        self, browser: Client, account: TradingAccount, share: Instrument, now: datetime
    ) -> None:
        TradingState.objects.create(
            workspace=account.workspace, state=Trading.HALTED, reason="Enough.", changed_at=now
        )
        page = browser.get(URL, {"instrument": share.key}).content.decode()
        assert "Trading is halted. Enough." in page and "/risk/" in page
        assert "Buy 1 · would be refused" in page

    @pytest.mark.parametrize(("quantity", "refused"), [("10", False), ("11", True)])
    def test_no_exit_while_halted(
        self, browser: Client, account: TradingAccount, share: Instrument, quantity: str,
        refused: bool, now: datetime,
    ) -> None:  # fmt: skip
        make_position(account, share)
        TradingState.objects.create(
            workspace=account.workspace, state=Trading.HALTED, reason="Enough.", changed_at=now
        )
        asked = {"instrument": share.key, "side": "SELL", "quantity": quantity}
        page = browser.get(URL, asked).content.decode()
        assert "You can exit up to 10." in page
        assert ("would be refused" in page) is refused

    def test_nothing_that_margin_is_short_for_but_says_so_on_the_button(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        asked = {"instrument": share.key, "quantity": "90000"}
        assert "short of margin" in browser.get(URL, asked).content.decode()


class TestOrderWindowOpens:
    def test_with_the_last_price_and_one_lot(
        self, browser: Client, account: TradingAccount, now: datetime
    ) -> None:
        future = make_instrument("NFO:NIFTY26JUNFUT", segment="NSE_FNO", instrument_type="FUT",
                                 lot_size=75, expiry=now.date())  # fmt: skip
        put_quotes([quote_at(future, "25166.90", at=now)])
        page = browser.get(URL, {"instrument": future.key}).content.decode()
        assert 'value="25166.90"' in page and 'value="75"' in page
        assert "1 lot of 75" in page and "Carry forward" in page

    def test_with_a_button_that_says_what_it_does(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        asked = {"instrument": share.key, "side": "SELL", "quantity": "150"}
        assert "Sell 150 · ₹2,10,000" in browser.get(URL, asked).content.decode()

    def test_saying_that_the_market_is_closed_and_the_order_waits(
        self, browser: Client, account: TradingAccount, now: datetime
    ) -> None:
        closed = make_instrument("NSE:RELIANCE")
        put_quotes([quote_at(closed, "1400.00", at=now)])
        with time_machine.travel(now + timedelta(hours=10), tick=False):
            page = browser.get(URL, {"instrument": closed.key, "account": str(account.pk)})
        assert "After-market order." in page.content.decode()
        assert "at the open" in page.content.decode()

    def test_alone_for_a_sheet_over_another_page(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        answer = browser.get(URL, {"instrument": share.key}, headers=HTMX)
        assert b"<html" not in answer.content
        assert answer.content.count(b"<form") == 1

    def test_without_complaints(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        page = browser.get(URL, {"instrument": share.key}).content
        assert complaint(page, "price") == "" and complaint(page, "quantity") == ""

    def test_with_the_price_marked_when_it_is_old(
        self, browser: Client, account: TradingAccount, now: datetime
    ) -> None:
        old = make_instrument("SIM:TCS")
        put_quotes([quote_at(old, "3084.50", at=now - timedelta(minutes=3))])
        page = browser.get(URL, {"instrument": old.key}).content.decode()
        assert "3 MIN OLD" in page


class TestPreview:
    url = "/orders/new/preview/"

    def test_tells_margin_and_charges_and_writes_nothing(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        page = browser.post(self.url, typed(account, share), headers=HTMX).content.decode()
        assert "Margin needed" in page and "of 1,00,000.00" in page
        assert "Charges, estimated" in page and "Buy 10 · ₹14,000" in page
        assert not Order.objects.exists()

    def test_says_what_risk_would_refuse_and_keeps_nothing(
        self, browser: Client, workspace: Workspace, account: TradingAccount, share: Instrument
    ) -> None:
        RiskRule.objects.create(
            workspace=workspace,
            user=workspace.owner,
            rule_type=RuleType.MAX_POSITION_SIZE,
            rule_value=Decimal(1000),
        )
        page = browser.post(self.url, typed(account, share), headers=HTMX).content.decode()
        assert "The position could reach" in page
        assert "Buy 10 · would be refused" in page
        assert not Reservation.objects.exists()

    def test_blocks_no_money_for_an_exit(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        make_position(account, share)
        sent = typed(account, share, side="SELL")
        page = browser.post(self.url, sent, headers=HTMX).content.decode()
        assert "<b>₹0.00</b>" in page

    def test_says_by_how_much_the_money_is_short(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        sent = typed(account, share, product="CNC", quantity="100")
        page = browser.post(self.url, sent, headers=HTMX).content.decode()
        assert "Short by ₹40," in page

    def test_complains_out_of_band(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        sent = typed(account, share, price="1400.03")
        page = browser.post(self.url, sent, headers=HTMX).content
        assert "steps of 0.05" in complaint(page, "price")

    def test_reads_a_half_typed_order_without_falling_over(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        answer = browser.post(self.url, typed(account, share, quantity="", price="14x"))
        assert answer.status_code == 200

    def test_is_not_for_viewers(
        self, client: Client, workspace: Workspace, account: TradingAccount, share: Instrument
    ) -> None:
        viewer = make_user("vik")
        Membership.objects.create(workspace=workspace, user=viewer, role=Role.VIEWER)
        client.force_login(viewer)
        assert client.post(self.url, typed(account, share)).status_code == 403


class TestSending:
    def test_places_the_order_and_opens_its_page(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        answer = browser.post(URL, typed(account, share, price="₹1,400.00"))
        order = Order.objects.get()
        assert answer["Location"] == order.get_absolute_url()
        assert (order.side, order.quantity, order.price) == ("BUY", 10, Decimal(1400))

    def test_tells_in_the_sheet_what_became_of_it(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        answer = browser.post(URL, typed(account, share), headers=HTMX)
        order = Order.objects.get()
        assert str(order.pk) in answer.content.decode()
        assert 'data-live="orders"' in answer.content.decode()

    def test_twice_with_one_key_places_one_order(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        sent = typed(account, share)
        for _ in range(2):
            browser.post(URL, sent)
        assert Order.objects.count() == 1

    def test_another_order_with_a_used_key_asks_again(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        sent = typed(account, share)
        browser.post(URL, sent)
        answer = browser.post(URL, sent | {"quantity": "20"})
        assert answer.status_code == 422
        assert Order.objects.count() == 1

    def test_forgets_a_price_that_a_market_order_hides(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        browser.post(URL, typed(account, share, order_type="MARKET", price="1400"))
        assert Order.objects.get().price is None

    def test_follows_only_orders_of_the_own_desk(
        self, browser: Client, client: Client, account: TradingAccount, share: Instrument
    ) -> None:
        browser.post(URL, typed(account, share))
        order = Order.objects.get()
        stranger = make_user("mira")
        make_workspace(stranger)
        client.force_login(stranger)
        assert client.get(f"/orders/{order.pk}/placed/").status_code == 404
