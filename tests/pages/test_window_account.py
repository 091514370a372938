"""For which account the order window opens."""

import re

from django.test import Client

from brokers.models import TradingAccount
from market.models import Instrument
from tests.builders import make_account_at
from tests.pages.desks import Answer

URL = "/orders/new/"


def chosen_account(answer: Answer) -> str:
    found = re.search(r'<option value="([^"]+)" selected>[^<]+, (paper|live)<', str(answer.content))
    assert found, "the window shows no account"
    return found.group(1)


class TestOrderWindowOpens:
    def test_for_an_account_whose_broker_lists_it(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        live = make_account_at("angel", account.workspace)
        browser.post("/scope/", {"scope": str(live.pk)})
        assert chosen_account(browser.get(URL, {"instrument": share.key})) == str(account.pk)
        share.broker_instruments.create(broker_type="angel", exchange="SIM", security_id="1")
        assert chosen_account(browser.get(URL, {"instrument": share.key})) == str(live.pk)

    def test_for_the_account_asked_for_and_says_what_its_broker_does_not_list(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        live = make_account_at("angel", account.workspace)
        answer = browser.get(URL, {"instrument": share.key, "account": str(live.pk)})
        assert chosen_account(answer) == str(live.pk)
        assert b"Angel One does not list RELIANCE" in answer.content
