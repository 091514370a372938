import pytest
import requests

from tests.simulator.market import CLIENT, RELIANCE, an_order, new_broker, placed, serving


class Control:
    def __init__(self, server) -> None:
        self.url = f"{server.url}/_sim"

    def get(self, path: str):
        return requests.get(f"{self.url}/{path}", timeout=5).json()

    def post(self, path: str, **body):
        answer = requests.post(f"{self.url}/{path}", json=body, timeout=5)
        return answer.json() if answer.ok else answer


@pytest.fixture
def broker():
    return new_broker()


@pytest.fixture
def control(broker):
    with serving(broker) as server:
        yield Control(server)


class TestTheControlApi:
    @pytest.mark.parametrize(
        ("path", "body", "words"),
        [
            ("faults", {"name": "earthquake"}, "There is no fault earthquake"),
            ("tick", {"token": RELIANCE}, "price is missing"),
            ("tick", {"token": "404", "price": "1"}, "no instrument with the token 404"),
            ("session", {"session": "lunch"}, "lunch"),
        ],
    )
    def test_refuses_in_words(self, control, path, body, words):
        answer = control.post(path, **body)
        assert answer.status_code == 400
        assert words in answer.json()["error"]

    def test_arms_and_clears_faults(self, control, broker):
        control.post("faults", name="delay", seconds=2, match="/orders*")
        assert [each["seconds"] for each in control.get("faults")] == [2]
        requests.delete(f"{control.url}/faults", timeout=5)
        assert broker.faults.armed() == []

    def test_moves_prices_and_fills_orders(self, control, broker):
        placed(broker, an_order())
        assert control.post("tick", token=RELIANCE, price="1405")["last_price"] == "1405"
        assert len(broker.trades(CLIENT)) == 1

    def test_places_an_order_from_outside(self, control, broker):
        order = {"client": CLIENT, "token": RELIANCE, "side": "BUY", "quantity": 5}
        assert control.post("orders", **order, product="MIS")["is_external"] is True
        assert control.post("orders", **order, product="NRML")["code"] == "OMS:PRODUCT"

    def test_pays_money_in(self, control, broker):
        before = broker.funds(CLIENT).available
        assert control.post("cash", client=CLIENT, amount="500")["cash"] == str(int(before) + 500)

    def test_tells_the_state_of_every_client(self, control, broker):
        placed(broker, an_order())
        control.post("holdings", client="C2", token=RELIANCE, quantity=5, average="1200")
        clients = control.get("state")["clients"]
        assert [each["state"] for each in clients[CLIENT]["orders"]] == ["OPEN"]
        assert clients["C2"]["holdings"][0]["quantity"] == 5

    def test_shows_the_requests_but_not_its_own(self, control):
        requests.get(control.url.replace("/_sim", "/orders"), timeout=5)
        assert [each["path"] for each in control.get("requests?match=/orders")] == ["/orders"]
        assert len(control.get("requests")) == 1

    def test_closes_the_session_and_turns_the_day(self, control, broker):
        assert control.post("session", session="closed") == {"session": "closed"}
        placed(broker, an_order(is_amo=True))
        control.post("next_day")
        assert len(broker.orders(CLIENT)) == 1

    def test_begins_again(self, control, broker):
        placed(broker, an_order())
        control.post("faults", name="delay")
        control.post("reset")
        assert (broker.clients(), broker.faults.armed()) == ((), [])
