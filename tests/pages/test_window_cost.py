import uuid

import pytest
from django.test import Client

from brokers.models import TradingAccount
from market.models import Instrument

URL = "/orders/new/preview/"


class TestMarginWords:
    """One share of 1,400.00 is a fifth of it in margin, 0.3 % of the fixture's 1,00,000.00."""

    @pytest.mark.parametrize(
        ("cash", "words"),
        [
            ("100000", "Margin used rises from 0.0% to <b>0.3%</b>"),
            ("10000000", "Margin used stays at <b>0.0%</b>"),
        ],
    )
    def test_tell_of_a_rise_only_where_it_can_be_seen(
        self, browser: Client, account: TradingAccount, share: Instrument, cash: str, words: str
    ) -> None:
        account.paper_account.cash = cash
        account.paper_account.save(update_fields=["cash"])
        page = browser.post(URL, self.typed(account, share)).content.decode()
        assert words in page and "rises from 0.0% to <b>0.0%" not in page

    def typed(self, account: TradingAccount, share: Instrument) -> dict[str, str]:
        return {
            "instrument": share.key,
            "account": str(account.pk),
            "side": "BUY",
            "product": "MIS",
            "order_type": "LIMIT",
            "validity": "DAY",
            "quantity": "1",
            "price": "1400.00",
            "idempotency_key": str(uuid.uuid4()),
        }
