"""Take the pictures of the documentation: `make screenshots`.

Starts Pinnacle on a database that is thrown away, with the demo desk on the simulated market,
waits until it has traded, and takes each picture in Chromium.
"""

import contextlib
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "bin"))  # scripts side by side, not a package

from programs import THIS_MACHINE, ProgramMissing  # noqa: E402
from servers import free_port  # noqa: E402
from smaller_png import smaller_png  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DESK = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
MOST_BYTES = 200_000
# Orders by hand beside those of the strategies; the last one closes a position.
BY_HAND = (
    ("BUY", "TATASTEEL", 300),
    ("SELL", "AXISBANK", 60),
    ("BUY", "SUNPHARMA", 45),
    ("BUY", "MARUTI", 6),
    ("SELL", "TATASTEEL", 300),
)
ENOUGH_TRADES = len(BY_HAND) + 4
PATIENCE = 900.0  # seconds until the strategies have traded as well
SETTLED = 4000  # milliseconds in which an order fills and the page has heard of it


class TooLarge(Exception):
    """A picture would weigh the repository down."""


class NotReady(Exception):
    """Pinnacle did not come up, or the strategies did not trade."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file name and how its page is brought about."""

    name: str
    visit: Callable[[Page], None]
    size: ViewportSize
    theme: str = "dark"


@contextlib.contextmanager
def pinnacle() -> Iterator[str]:
    """Run Pinnacle on a database of its own; give its address.

    :raises NotReady: when it does not answer within four minutes.
    """
    port = free_port()
    address = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory(prefix="pinnacle-pictures-") as folder:
        own = {
            "DATABASE_URL": f"sqlite:///{folder}/pictures.sqlite3",
            "REDIS_URL": "",
            "HTTPS": "off",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "manage.py", "run_pinnacle", "--port", str(port)]
        with subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **own}, stdout=subprocess.DEVNULL
        ) as server:
            try:
                _wait_until_well(f"{address}/healthz/")
                yield address
            finally:
                server.terminate()


def _wait_until_well(url: str) -> None:
    for _ in range(240):
        with contextlib.suppress(URLError, OSError), urllib.request.urlopen(url):  # noqa: S310
            return
        time.sleep(1)
    raise NotReady(f"Nothing answers at {url}")


def signed_in(browser: Browser, address: str, picture: Picture) -> BrowserContext:
    """Return a context of the picture's size and theme, signed in to the demo desk."""
    context = browser.new_context(
        base_url=address, viewport=picture.size, timezone_id="Asia/Kolkata", locale="en-IN"
    )
    context.add_cookies([{"name": "theme", "value": picture.theme, "url": address}])
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("#id_login", "demo")
    page.fill("#id_password", "demo-pinnacle")
    page.click("main button[type=submit], form button[type=submit]")
    page.wait_for_url(f"{address}/")
    page.close()
    return context


def wait_for_trades(context: BrowserContext) -> None:
    """:raises NotReady: when the strategies have hardly traded after all the patience."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        rows = context.request.get("/orders/trades/export/").text().splitlines()
        if len(list(csv.reader(rows))) > ENOUGH_TRADES:
            return
        time.sleep(2)  # less than the server keeps a connection open
    raise NotReady(f"Fewer than {ENOUGH_TRADES} trades in {PATIENCE:.0f} seconds")


def trade(page: Page, side: str, symbol: str, quantity: int) -> None:
    """Trade at market in the order window, as a person would."""
    page.goto(f"/orders/new/?instrument=SIM:{symbol}&side={side}")
    page.click("label[for=order_order_type_MARKET]")
    page.fill("#order_quantity", str(quantity))
    page.wait_for_timeout(SETTLED // 4)
    page.click("#ticket-send")
    page.wait_for_selector(".placed")
    page.wait_for_timeout(SETTLED)


def home(page: Page) -> None:
    page.goto("/")


def order(page: Page) -> None:
    trade(page, "BUY", "RELIANCE", 60)
    page.click(".placed >> text=Open the order")
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}/$"))


def order_window(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("j")  # the index, which cannot be traded
    page.keyboard.press("j")
    page.keyboard.press("b")
    page.wait_for_selector("#ticket-send")
    page.fill("#order_quantity", "40")
    page.wait_for_timeout(SETTLED // 2)


def place(address: str) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(address)

    return visit


PICTURES = (
    Picture("order", order, DESK),
    Picture("home", home, DESK),
    Picture("home-phone", home, PHONE, theme="light"),
    Picture("order-window", order_window, DESK),
    Picture("positions", place("/positions/"), DESK, theme="light"),
    Picture("strategies", place("/strategies/"), DESK),
    Picture("risk", place("/risk/"), DESK),
)


def take(browser: Browser, address: str, picture: Picture) -> Path:
    """Take one picture and return its file."""
    context = signed_in(browser, address, picture)
    page = context.new_page()
    picture.visit(page)
    page.wait_for_timeout(SETTLED // 2)  # the first live prices
    path = IMAGES / f"{picture.name}.png"
    path.write_bytes(smaller_png(page.screenshot()))
    context.close()
    return path


def take_all(browser: Browser, address: str) -> None:
    """Take every picture of a running Pinnacle, once it has traded.

    :raises TooLarge: when one cannot be made small enough.
    """
    context = signed_in(browser, address, PICTURES[0])
    page = context.new_page()
    for order_of_a_person in BY_HAND:
        trade(page, *order_of_a_person)
    wait_for_trades(context)
    context.close()
    IMAGES.mkdir(exist_ok=True)
    for picture in PICTURES:
        path = take(browser, address, picture)
        size = path.stat().st_size
        print(f"{path.relative_to(ROOT)}: {size // 1000} kB")
        if size > MOST_BYTES:
            raise TooLarge(f"{path.name} is larger than {MOST_BYTES // 1000} kB")


def main() -> int:
    try:
        chromium = THIS_MACHINE.chromium()
    except ProgramMissing as error:
        print(error, file=sys.stderr)
        return 1
    with pinnacle() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        take_all(browser, address)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
