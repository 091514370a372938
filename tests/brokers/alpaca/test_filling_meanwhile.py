"""What fills between our look at an order and its change is not bought a second time."""

import json
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from brokers.adapters.alpaca.gateway import AlpacaGateway
from brokers.gateway import Accepted, Outcome, Refused, Unknown
from tests.brokers.alpaca.canned import Canned, canned_server
from tests.brokers.alpaca.market import AlpacaMarket, share_ref
from tests.brokers.contract import buy, change_of

FIRST, SECOND, THIRD = (f"0f0f0f0f-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
Answer = tuple[int, bytes]


def order(order_id: str, status: str, filled: int = 0, **fields: object) -> Answer:
    row = {
        "id": order_id, "status": status, "filled_qty": str(filled), "symbol": "AAPL",
        "type": "limit", "replaces": None, "replaced_by": None, **fields,
    }  # fmt: skip
    return 200, json.dumps(row).encode()


def made(order_id: str, replaces: str) -> Answer:
    """Return what a change is answered with: the new order."""
    return order(order_id, "pending_new", replaces=replaces)


def replaced(order_id: str, by: str, filled: int = 0) -> Answer:
    return order(order_id, "replaced", filled, replaced_by=by)


@pytest.fixture
def canned(alpaca: AlpacaMarket, settings: Settings) -> Iterator[Canned]:
    with canned_server() as canned:
        settings.BROKER_ENDPOINTS = {"alpaca": canned.url}
        yield canned


def changed(alpaca: AlpacaMarket, canned: Canned, quantity: int, *answers: Answer) -> Outcome:
    """Change an order for a hundred; the look at it comes first, and nothing had filled."""
    canned.answer(order(FIRST, "new"), *answers)
    gateway = AlpacaGateway(alpaca.account, alpaca.stand.clock)
    return gateway.modify(change_of(FIRST, buy(share_ref()), quantity=quantity))


def quantities(canned: Canned) -> list[str]:
    """Return what was asked for, change by change."""
    return [json.loads(body)["qty"] for method, _, body in canned.asked if method == "PATCH"]


def cancelled(canned: Canned) -> list[str]:
    return [path.rsplit("/", 1)[1] for method, path, _ in canned.asked if method == "DELETE"]


class TestAChangeWhileItFills:
    def test_is_unknown_while_it_cannot_be_seen_what_filled(
        self, alpaca: AlpacaMarket, canned: Canned
    ) -> None:
        outcome = changed(alpaca, canned, 100, made(SECOND, FIRST), (500, b"{}"))
        assert isinstance(outcome, Unknown)

    def test_is_unknown_while_a_filling_order_is_still_being_replaced(
        self, alpaca: AlpacaMarket, canned: Canned
    ) -> None:
        on_its_way = order(FIRST, "pending_replace", 40)
        assert isinstance(changed(alpaca, canned, 100, made(SECOND, FIRST), on_its_way), Unknown)

    def test_that_cannot_be_made_good_is_unknown_and_says_so(
        self, alpaca: AlpacaMarket, canned: Canned
    ) -> None:
        refused = (422, b'{"code": 42210000, "message": "cannot replace order"}')
        outcome = changed(
            alpaca, canned, 100, made(SECOND, FIRST), replaced(FIRST, SECOND, 40), refused
        )
        assert isinstance(outcome, Unknown)
        assert "too much" in outcome.evidence

    def test_refused_at_once_stays_refused(self, alpaca: AlpacaMarket, canned: Canned) -> None:
        refused = (422, b'{"code": 42210000, "message": "cannot replace order"}')
        assert isinstance(changed(alpaca, canned, 100, refused), Refused)

    def test_is_done_once_where_nothing_filled(self, alpaca: AlpacaMarket, canned: Canned) -> None:
        outcome = changed(alpaca, canned, 100, made(SECOND, FIRST), replaced(FIRST, SECOND))
        assert isinstance(outcome, Accepted)
        assert quantities(canned) == ["100"]

    def test_is_followed_by_one_to_the_rest(self, alpaca: AlpacaMarket, canned: Canned) -> None:
        outcome = changed(
            alpaca, canned, 100,
            made(SECOND, FIRST), replaced(FIRST, SECOND, 40),
            made(THIRD, SECOND), replaced(SECOND, THIRD),
        )  # fmt: skip
        assert isinstance(outcome, Accepted)
        assert outcome.broker_order_id == FIRST
        assert quantities(canned) == ["100", "60"]
        assert [path for method, path, _ in canned.asked if method == "PATCH"] == [
            f"/v2/orders/{FIRST}", f"/v2/orders/{SECOND}",
        ]  # fmt: skip

    def test_that_fills_again_meanwhile_is_followed_again(
        self, alpaca: AlpacaMarket, canned: Canned
    ) -> None:
        changed(
            alpaca, canned, 100,
            made(SECOND, FIRST), replaced(FIRST, SECOND, 40),
            made(THIRD, SECOND), replaced(SECOND, THIRD, 10),
            made(FIRST, THIRD), replaced(THIRD, FIRST),
        )  # fmt: skip
        assert quantities(canned) == ["100", "60", "50"]

    def test_to_less_than_has_filled_is_cancelled(
        self, alpaca: AlpacaMarket, canned: Canned
    ) -> None:
        outcome = changed(
            alpaca, canned, 30, made(SECOND, FIRST), replaced(FIRST, SECOND, 40), (204, b"")
        )
        assert isinstance(outcome, Accepted)
        assert (quantities(canned), cancelled(canned)) == (["30"], [SECOND])

    def test_that_lost_against_the_fill_leaves_the_order_to_its_reports(
        self, alpaca: AlpacaMarket, canned: Canned
    ) -> None:
        filled = order(FIRST, "filled", 100)
        assert isinstance(changed(alpaca, canned, 100, made(SECOND, FIRST), filled), Accepted)
        assert quantities(canned) == ["100"]
