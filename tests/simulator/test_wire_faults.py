import json
import time
from dataclasses import dataclass

import pytest
import requests
from starlette.responses import JSONResponse, PlainTextResponse

from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.serving import SimulatorServer
from brokers.simulator.wire import Dialect, Limit, RateCounter, Window, form_fields
from tests.simulator.market import CLIENT, HandClock, new_broker, serving

DIALECT = Dialect(
    rate_limited=lambda _: PlainTextResponse("Access denied", 403),
    expired_token=lambda _: JSONResponse({"error": "token"}, 403),
    wrong_ip=lambda _: JSONResponse({"error": "address"}, 400),
)


@dataclass
class Wire:
    broker: SimulatedBroker
    server: SimulatorServer

    @property
    def faults(self):
        return self.broker.faults

    def post(self, timeout: float = 5) -> requests.Response:
        return requests.post(f"{self.server.url}/orders", timeout=timeout)

    def get(self) -> requests.Response:
        return requests.get(f"{self.server.url}/orders", timeout=5)

    def known(self) -> int:
        return len(self.broker.orders(CLIENT))


@pytest.fixture
def wire():
    broker = new_broker()
    with serving(broker, dialect=DIALECT) as server:
        yield Wire(broker, server)


class TestAnOrderThatWasExecuted:
    def test_may_never_be_answered(self, wire):
        wire.faults.arm("drop_reply")
        with pytest.raises(requests.ConnectionError):
            wire.post()
        assert wire.known() == 1
        assert wire.post().status_code == 200

    def test_may_be_answered_too_late(self, wire):
        wire.faults.arm("delay", seconds=1)
        with pytest.raises(requests.Timeout):
            wire.post(timeout=0.3)
        assert wire.known() == 1

    def test_takes_no_fault_that_was_armed_while_it_waited(self, wire):
        wire.faults.arm("delay", seconds=1)
        with pytest.raises(requests.Timeout):
            wire.post(timeout=0.3)
        wire.faults.arm("drop_reply")
        wire.faults.release()
        time.sleep(0.2)
        with pytest.raises(requests.ConnectionError):
            wire.get()

    @pytest.mark.parametrize("status", [502, 504])
    def test_may_be_answered_by_a_broken_gateway(self, wire, status):
        wire.faults.arm("server_error_after", amount=status)
        answer = wire.post()
        assert (answer.status_code, wire.known()) == (status, 1)
        assert answer.headers["content-type"].startswith("text/html")

    def test_may_be_answered_with_half_a_text(self, wire):
        wire.faults.arm("truncated_json")
        answer = wire.post()
        assert answer.headers["content-type"] == "application/json"
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.content)
        assert wire.known() == 1

    def test_may_be_answered_with_a_page(self, wire):
        wire.faults.arm("html_200")
        answer = wire.post()
        assert answer.status_code == 200
        assert "<html>" in answer.text
        assert wire.known() == 1

    def test_waits_for_its_own_fill_to_be_told(self, wire):
        wire.faults.arm("fill_before_order")
        since = time.monotonic()
        assert wire.post().status_code == 200
        assert time.monotonic() - since >= 0.3


class TestAnOrderThatWasNotTaken:
    @pytest.mark.parametrize(
        ("fault", "status", "text"),
        [
            ("rate_limited", 403, "Access denied"),
            ("server_error_before", 502, "Bad Gateway"),
            ("expired_token", 403, "token"),
            ("wrong_ip", 400, "address"),
        ],
    )
    def test_is_refused_in_the_brokers_own_words(self, wire, fault, status, text):
        wire.faults.arm(fault)
        answer = wire.post()
        assert (answer.status_code, wire.known()) == (status, 0)
        assert text in answer.text

    def test_from_a_wrong_address_leaves_reads_alone(self, wire):
        wire.faults.arm("wrong_ip")
        assert wire.get().status_code == 200

    def test_without_a_token_stays_refused_until_cleared(self, wire):
        wire.faults.arm("expired_token")
        assert [wire.post().status_code for _ in range(2)] == [403, 403]
        wire.faults.clear()
        assert wire.post().status_code == 200


class TestTheRequestLog:
    def test_keeps_what_was_sent(self, wire):
        requests.post(f"{wire.server.url}/orders?a=1", data={"tag": "T 1"}, timeout=5)
        (request,) = wire.server.app.state.requests.all("POST /orders")
        assert (request.query, form_fields(request.body)) == ("a=1", {"tag": "T 1"})
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"

    def test_keeps_a_request_whose_answer_was_dropped(self, wire):
        wire.faults.arm("drop_reply")
        with pytest.raises(requests.ConnectionError):
            wire.post()
        assert len(wire.server.app.state.requests.all()) == 1


class TestRateLimits:
    def test_refuse_over_the_wire(self):
        limit = Limit("orders", Window.SECOND, 2)
        dialect = Dialect(limits=lambda method, path: (limit,) if method == "POST" else ())
        broker = new_broker()
        with serving(broker, dialect=dialect) as server:
            wire = Wire(broker, server)
            assert [wire.post().status_code for _ in range(3)] == [200, 200, 429]
            assert (wire.get().status_code, wire.known()) == (200, 2)

    def test_begin_anew_with_the_calendar_second(self):
        clock = HandClock()
        clock.move(0.9)
        counter = RateCounter(clock)
        limits = (Limit("orders", Window.SECOND, 1), Limit("orders", Window.MINUTE, 3))
        assert [counter.allows("A", limits) for _ in range(2)] == [True, False]
        clock.move(0.1)
        assert counter.allows("A", limits)
        assert counter.allows("B", limits)

    def test_count_by_the_longer_window_too(self):
        clock = HandClock()
        counter = RateCounter(clock)
        limits = (Limit("orders", Window.SECOND, 9), Limit("orders", Window.HOUR, 2))
        answers = []
        for _ in range(3):
            answers.append(counter.allows("A", limits))
            clock.move(61)
        assert answers == [True, True, False]

    def test_can_be_set_aside(self):
        counter = RateCounter(HandClock())
        counter.is_enforced = False
        limit = Limit("orders", Window.SECOND, 1)
        assert all(counter.allows("A", (limit,)) for _ in range(5))
