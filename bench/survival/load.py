"""Prices that move at the simulator, and orders sent through the web as a browser sends them."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID, uuid4

import requests
from requests.cookies import RequestsCookieJar

from bench.survival.desk import PASSWORD, USERNAME, Desk
from bench.survival.stands import Stand
from brokers.simulator.instruments import SimInstrument
from brokers.terms import Side

_HANDS = 40
_PATIENCE = 180.0  # seconds that a person goes on pressing Send while the web is away
_STEP = Decimal("0.0008")
_PULL = Decimal("0.02")
_AWAY = Decimal("0.03")
_RESTING = 0.3
_CANCELLED = 0.4
_PLACED = re.compile(r"/orders/([0-9a-f-]{36})/")


class Prices:
    """A walk of our own, so that it can be stopped: the broker stands still to be compared."""

    def __init__(self, simulator: str, shares: Sequence[SimInstrument], *, seed: int) -> None:
        self._simulator = simulator
        self._shares = shares
        self._chance = random.Random(seed)
        self._last = {each.token: each.start_price for each in shares}

    def of(self, share: SimInstrument) -> Decimal:
        return self._last[share.token]

    def run(self, stopped: threading.Event) -> None:
        session = requests.Session()
        while not stopped.wait(1.0):
            for share in self._shares:
                self._last[share.token] = price = self._next(share)
                tick = {"token": share.token, "price": str(price), "volume": 4_000}
                session.post(f"{self._simulator}/_sim/tick", json=tick, timeout=10)

    def _next(self, share: SimInstrument) -> Decimal:
        last = self._last[share.token]
        drift = Decimal(str(self._chance.uniform(-1, 1)))
        home = (share.start_price - last) * _PULL
        return on_tick(last + home + last * _STEP * drift, share)


@dataclass
class Asked:
    """What the people at the browser remember: each key they sent, and what was answered."""

    keys: list[UUID] = field(default_factory=list)
    answered: dict[UUID, str] = field(default_factory=dict)
    presses: Counter[str] = field(default_factory=Counter)
    cancels: int = 0
    seconds: float = 0.0
    guard: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Trader:
    """Several hands with one browser each; whoever gets no answer sends the same key again."""

    desk: Desk
    stand: Stand
    web: str
    prices: Prices
    shares: Sequence[SimInstrument]
    seed: int
    asked: Asked = field(default_factory=Asked)
    _cookies: RequestsCookieJar = field(default_factory=RequestsCookieJar)
    _own: threading.local = field(default_factory=threading.local)

    def run(self, *, rate: float, seconds: float) -> None:
        """Send so many orders a second, evenly, whatever becomes of those before.

        While every hand waits for the web the others queue, and it takes longer.
        """
        chance = random.Random(self.seed)
        self._cookies = sign_in(self.web).cookies
        begun, work = time.monotonic(), []
        with ThreadPoolExecutor(_HANDS, thread_name_prefix="hand") as hands:
            for number in range(int(rate * seconds)):
                time.sleep(max(begun + number / rate - time.monotonic(), 0))
                work.append(hands.submit(self._trade, self._order(number, chance), chance.random()))
        self.asked.seconds = time.monotonic() - begun
        for each in work:
            each.result()  # what failed in a hand fails the trial

    def _order(self, number: int, chance: random.Random) -> dict[str, str]:
        share = chance.choice(self.shares)
        side = chance.choice([Side.BUY, Side.SELL])
        is_resting = chance.random() < _RESTING
        away = -_AWAY if is_resting else Decimal("0.002")
        price = on_tick(self.prices.of(share) * (1 + away * side.sign), share)
        key = uuid4()
        self.asked.keys.append(key)
        return {
            "instrument": share.ref.key,
            "account": str(self.desk.accounts[number % len(self.desk.accounts)].pk),
            "side": side.value,
            "product": self.stand.product.value,
            "order_type": "LIMIT",
            "validity": "DAY",
            "quantity": str(chance.randint(1, 3)),
            "price": str(price),
            "idempotency_key": str(key),
            "resting": "yes" if is_resting else "",
        }

    def _trade(self, order: dict[str, str], luck: float) -> None:
        is_resting = order.pop("resting")
        place = self._post("/orders/new/", order)
        with self.asked.guard:
            self.asked.answered[UUID(order["idempotency_key"])] = place
        found = _PLACED.search(place)
        if found and is_resting and luck < _CANCELLED:
            time.sleep(2.0)
            self._post(f"/orders/{found[1]}/cancel/", {})
            with self.asked.guard:
                self.asked.cancels += 1

    def _post(self, path: str, form: dict[str, str]) -> str:
        """Send until it is answered; return where it leads, or the words of what came instead."""
        deadline, answer = time.monotonic() + _PATIENCE, "no answer"
        while time.monotonic() < deadline:
            try:
                answer = self._press(path, form)
                break
            except (requests.RequestException, KeyError) as error:
                self._count(f"no answer: {type(error).__name__}")
                time.sleep(0.5)
        return answer

    def _press(self, path: str, form: dict[str, str]) -> str:
        browser = self._browser()
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        got = browser.post(
            f"{self.web}{path}", data={**form, **token}, timeout=15, allow_redirects=False
        )
        self._count(str(got.status_code))
        if got.status_code >= 500:
            raise requests.HTTPError(str(got.status_code))
        return got.headers.get("location", f"answered {got.status_code}")

    def _browser(self) -> requests.Session:
        """Give each hand a browser of its own that is signed in already."""
        browser: requests.Session | None = getattr(self._own, "browser", None)
        if browser is None:
            browser = requests.Session()
            browser.cookies.update(self._cookies)
            self._own.browser = browser
        return browser

    def _count(self, words: str) -> None:
        with self.asked.guard:
            self.asked.presses[words] += 1


def sign_in(web: str) -> requests.Session:
    browser = requests.Session()
    page = f"{web}/accounts/login/"
    browser.get(page, timeout=15).raise_for_status()
    form = {"login": USERNAME, "password": PASSWORD}
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    answer = browser.post(page, data={**form, **token}, timeout=15, allow_redirects=False)
    if answer.status_code != 302:
        raise requests.HTTPError(f"The sign-in was answered with {answer.status_code}")
    return browser


def on_tick(price: Decimal, share: SimInstrument) -> Decimal:
    return (price / share.tick).to_integral_value() * share.tick
