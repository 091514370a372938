import os
import signal
import sys
import threading
import time
from io import StringIO

import pytest
import requests
from django.core.management import CommandError, call_command
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from brokers import simulator
from brokers.simulator.serving import PortTaken, SimulatorServer
from tests.simulator.market import new_broker, serving
from tests.simulator.test_streams import Stream


def _servers_threads() -> list[threading.Thread]:
    names = ("brokersim", "AnyIO")
    return [each for each in threading.enumerate() if each.name.startswith(names)]


class TestAServer:
    def test_is_refused_a_port_that_is_taken(self):
        with serving(new_broker()) as server:
            second = SimulatorServer(server.app, port=server.port)
            with pytest.raises(PortTaken, match=f"Port {server.port}"):
                second.start()

    def test_stops_within_a_second_and_leaves_no_thread(self):
        before = _servers_threads()
        server = serving(new_broker()).start()
        with requests.Session() as session:
            assert session.get(f"{server.url}/orders", timeout=5).status_code == 200
            since = time.monotonic()
            server.stop()
        assert time.monotonic() - since < 1
        # The server's workers are told to end as its loop does, and need a moment for it.
        mine = [each for each in _servers_threads() if each not in before]
        for thread in mine:
            thread.join(1)
        assert [each for each in mine if each.is_alive()] == []

    def test_stops_at_once_while_an_answer_is_delayed(self):
        broker = new_broker()
        broker.faults.arm("delay", seconds=30)
        server = serving(broker).start()
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(requests.get(f"{server.url}/orders", timeout=20))
        )
        asking.start()
        while broker.faults.armed():
            time.sleep(0.01)
        since = time.monotonic()
        server.stop()
        asking.join()
        assert time.monotonic() - since < 1
        assert answers[0].status_code == 200

    def test_closes_its_streams(self):
        stream = Stream()
        stream.server.start()
        with connect(f"{stream.server.ws_url}/prices") as socket:
            stream.server.stop()
            with pytest.raises(ConnectionClosed):
                socket.recv(5)

    def test_can_be_stopped_twice_and_started_again(self):
        server = serving(new_broker())
        for _ in range(2):
            server.start()
            assert requests.get(f"{server.url}/orders", timeout=5).status_code == 200
            server.stop()
            server.stop()

    def test_frees_its_port(self):
        with serving(new_broker()) as server:
            pass
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url, timeout=2)


_PLAIN_APP = """
from tests.simulator.market import PLAIN_ROUTES
from brokers.simulator.wire import Dialect, build_app

DEMO_CREDENTIALS = {"Client code": "DEMO1"}


def make_app(broker, faults):
    return build_app(routes=PLAIN_ROUTES, broker=broker, faults=faults, dialect=Dialect())
"""


@pytest.fixture
def plain_broker(tmp_path, monkeypatch):
    """A broker called plain, known to the command as any wire app is."""
    package = tmp_path / "plain"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "app.py").write_text(_PLAIN_APP)
    monkeypatch.setattr(simulator, "__path__", [*simulator.__path__, str(tmp_path)])
    yield "plain"
    for name in [each for each in sys.modules if each.startswith("brokers.simulator.plain")]:
        del sys.modules[name]


def _interrupted_once_it_answers(screen: StringIO, answers: list[int]) -> threading.Thread:
    """Ask the simulator whose address the screen shows, then press Ctrl-C."""

    def visit() -> None:
        while "/_sim/state" not in screen.getvalue():
            time.sleep(0.01)
        url = screen.getvalue().split("plain=", 1)[1].split('"')[0]
        answers.append(requests.post(f"{url}/orders", timeout=10).status_code)
        os.kill(os.getpid(), signal.SIGINT)

    visitor = threading.Thread(target=visit)
    visitor.start()
    return visitor


class TestTheCommand:
    def test_refuses_a_broker_it_does_not_know(self):
        with pytest.raises(CommandError, match="No broker is simulated under the name nobody"):
            call_command("brokersim", broker="nobody")

    @pytest.mark.parametrize("fault", ["earthquake", "delay:seconds=soon"])
    def test_refuses_a_fault_it_cannot_read(self, fault):
        with pytest.raises(CommandError, match=f"--fault {fault}"):
            call_command("brokersim", broker="nobody", fault=[fault], stdout=StringIO())

    def test_refuses_a_port_that_is_taken(self, plain_broker):
        words = "Choose another with --port"
        with serving(new_broker()) as server, pytest.raises(CommandError, match=words):
            call_command("brokersim", broker=plain_broker, port=server.port)

    def test_says_what_to_do_and_ends_with_ctrl_c(self, plain_broker):
        screen = StringIO()
        answers: list[int] = []
        visitor = _interrupted_once_it_answers(screen, answers)
        call_command("brokersim", broker=plain_broker, port=0, rate=50, stdout=screen)
        visitor.join()
        assert answers == [200]
        assert "Client code: DEMO1" in screen.getvalue()
        assert not [each for each in threading.enumerate() if each.name == "brokersim-prices"]
