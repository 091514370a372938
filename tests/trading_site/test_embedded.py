"""Everything in one process: it starts, trades, says when its port is taken, and ends cleanly."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from celery import current_app

from trading_site.celery import SCHEDULE
from trading_site.celery import app as celery_app
from trading_site.embedded import Address, AddressUnusable, PortBusy, listen, run_together

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestListen:
    def test_says_that_the_port_is_in_use(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(PortBusy, match=f"Port {port} is in use.*make run PORT={port + 1}"):
                listen(Address("127.0.0.1", port))

    def test_says_that_the_address_is_not_this_machines(self) -> None:
        with pytest.raises(AddressUnusable, match=r"192\.0\.2\.1"):
            listen(Address("192.0.2.1", free_port()))

    def test_takes_a_free_port(self) -> None:
        address = Address("127.0.0.1", free_port())
        with listen(address) as listener:
            assert listener.getsockname()[1] == address.port
        assert str(address) == f"http://localhost:{address.port}/"


class TestRunTogether:
    def test_ends_all_when_one_ends(self) -> None:
        ended = []

        def patient(stopped: threading.Event) -> None:
            stopped.wait()
            ended.append("patient")

        stuck = run_together({"patient": patient, "brief": lambda _: None}, threading.Event())
        assert (stuck, ended) == ([], ["patient"])

    def test_names_the_part_that_will_not_end(self) -> None:
        release = threading.Event()

        def stubborn(stopped: threading.Event) -> None:
            release.wait()

        parts = {"stubborn": stubborn, "brief": lambda _: None}
        assert run_together(parts, threading.Event(), patience=0.05) == ["stubborn"]
        release.set()


class TestSchedule:
    def test_names_only_tasks_that_exist(self) -> None:
        celery_app.loader.import_default_modules()
        assert set(SCHEDULE) <= set(current_app.tasks)

    def test_lets_no_sweep_pile_up(self) -> None:
        for entry in celery_app.conf.beat_schedule.values():
            assert entry["options"]["expires"] > 0


class Browser:
    """Signs in and reads pages of a running Pinnacle."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(jar)

    def read(self, path: str) -> str:
        with self.opener.open(self.root + path, timeout=20) as response:
            return str(response.read().decode())

    def sign_in(self, username: str, password: str) -> None:
        page = self.read("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "login": username, "password": password}
        self.opener.addheaders.append(("Referer", self.root + "/accounts/login/"))
        self.opener.open(self.root + "/accounts/login/", urlencode(form).encode()).close()

    def buy(self, key: str) -> str:
        """Buy one at the market; return the path of its order's page."""
        page = self.read(f"/orders/new/?{urlencode({'instrument': key})}")
        names = ("csrfmiddlewaretoken", "idempotency_key", "account")
        form = {name: _value_of(page, name) for name in names}
        form |= {"instrument": key, "side": "BUY", "quantity": "1", "order_type": "MARKET"}
        form |= {"product": "MIS", "validity": "DAY"}
        data = urlencode(form).encode()
        with self.opener.open(f"{self.root}/orders/new/", data, timeout=20) as answer:
            return str(urlsplit(answer.url).path)

    def stream_until(self, word: str, *, keys: str) -> list[str]:
        """Read the stream until a line has the word."""
        lines = []
        with self.opener.open(
            f"{self.root}/stream/?{urlencode({'keys': keys})}", timeout=20
        ) as news:
            for line in news:
                lines.append(line.decode())
                if word in lines[-1]:
                    break
        return lines


def _value_of(page: str, name: str) -> str:
    """Return a field's value, or the first choice of a select."""
    field = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)
    field = field or re.search(rf'name="{name}".*?<option value="([^"]+)"', page, re.DOTALL)
    assert field is not None, page
    return field[1]


def wait_until_up(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=5).close()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError("Pinnacle did not come up")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('pinnacle') / 'test.sqlite3'}"


def start(database: str, port: int) -> subprocess.Popen[str]:
    beside = Path(database.removeprefix("sqlite:///")).with_name("installation.json")
    settings = {
        "DATABASE_URL": database,
        "INSTALLATION_FILE": str(beside),
        "REDIS_URL": "",
        "HTTPS": "off",
        "PYTHONWARNINGS": "",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_pinnacle", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def running(database: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port()
    process = start(database, port)
    wait_until_up(port, process)
    yield port, process
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.embedded
class TestRunPinnacle:
    def test_serves_a_live_market_to_the_demo_user(
        self, running: tuple[int, subprocess.Popen[str]]
    ) -> None:
        browser = Browser(running[0])
        browser.sign_in("demo", "demo-pinnacle")
        lines = browser.stream_until("event: quotes", keys="SIM:TCS,SIM:NIFTY 50")
        assert "Practice" in browser.read("/")
        assert lines[-1] == "event: quotes\n"

    def test_sends_an_order_placed_by_hand(
        self, running: tuple[int, subprocess.Popen[str]]
    ) -> None:
        browser = Browser(running[0])
        browser.sign_in("demo", "demo-pinnacle")
        browser.stream_until("event: quotes", keys="SIM:TCS")  # a market order wants a price
        order = browser.buy("SIM:TCS")
        deadline = time.monotonic() + 60
        while "Waiting to be sent" in browser.read(order):
            assert time.monotonic() < deadline, "no worker has taken the order"
            time.sleep(0.3)
        assert "Taken by a worker to send" in browser.read(order)

    def test_tells_a_second_one_that_the_port_is_taken(
        self, running: tuple[int, subprocess.Popen[str]], database: str
    ) -> None:
        second = start(database, running[0])
        _, errors = second.communicate(timeout=60)
        assert second.returncode != 0
        assert f"Port {running[0]} is in use" in errors

    def test_ends_quickly_on_a_signal_even_with_a_page_open(
        self, running: tuple[int, subprocess.Popen[str]]
    ) -> None:
        port, process = running
        browser = Browser(port)
        browser.sign_in("demo", "demo-pinnacle")
        with browser.opener.open(f"{browser.root}/stream/", timeout=20) as news:
            news.readline()
            asked_at = time.monotonic()
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=30)
        assert time.monotonic() - asked_at < 10
        assert process.returncode == 0, errors
        assert "Pinnacle has ended." in output
        assert "Traceback" not in errors
