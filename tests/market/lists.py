"""Small instrument lists of the same market, each as its broker writes it."""

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from brokers.models import BrokerConnection, ConnectionStatus
from market.models import ImportKind
from tests.builders import make_user, make_workspace
from tests.market.files import DHAN_HEADER, KITE_HEADER


def angel_row(token: str, symbol: str, **fields: str) -> dict[str, str]:
    row = {
        "token": token,
        "symbol": symbol,
        "name": symbol.removesuffix("-EQ"),
        "expiry": "",
        "strike": "-1.000000",
        "lotsize": "1",
        "instrumenttype": "",
        "exch_seg": "NSE",
        "tick_size": "10.000000",
    }
    return {**row, **fields}


def angel_crude(lot: str = "100") -> dict[str, str]:
    return angel_row(
        "900", "CRUDEOIL19AUG26FUT", name="CRUDEOIL", expiry="19AUG2026", lotsize=lot,
        instrumenttype="FUTCOM", exch_seg="MCX", tick_size="100.000000",
    )  # fmt: skip


def angel_shares(names: Iterable[str]) -> list[dict[str, str]]:
    return [angel_row(str(100 + place), f"{name}-EQ") for place, name in enumerate(names)]


def angel_file(rows: Iterable[dict[str, str]]) -> bytes:
    return json.dumps(list(rows)).encode()


def dhan_row(*fields: str) -> str:
    return ",".join(fields) + "\r\n"


DHAN_CRUDE = dhan_row(
    "MCX", "M", "700", "FUTCOM", "0", "CRUDEOIL-19Aug2026-FUT", "1.0", "CRUDEOIL AUG FUT",
    "2026-08-19 23:30:00", "", "XX", "100.0000", "M", "FUTCOM", "", "CRUDEOIL",
)  # fmt: skip

# One market three times: a share, a share with a hyphen, a series, an index, futures, options.
ANGEL_MARKET = [
    angel_row("2885", "RELIANCE-EQ"),
    angel_row("16669", "BAJAJ-AUTO-EQ"),
    angel_row("7", "SUNFARM-SM", lotsize="1200"),
    angel_row("99926000", "Nifty 50", name="NIFTY", instrumenttype="AMXIDX"),
    angel_row("51", "BAJAJ-AUTO25AUG26FUT", name="BAJAJ-AUTO", expiry="25AUG2026", lotsize="75",
              instrumenttype="FUTSTK", exch_seg="NFO"),
    angel_row("52", "NIFTY25AUG2624350CE", name="NIFTY", expiry="25AUG2026",
              strike="2435000.000000", lotsize="65", instrumenttype="OPTIDX", exch_seg="NFO"),
    angel_row("53", "NIFTY18AUG2624350PE", name="NIFTY", expiry="18AUG2026",
              strike="2435000.000000", lotsize="65", instrumenttype="OPTIDX", exch_seg="NFO"),
    angel_row("54", "SENSEX2681380000CE", name="SENSEX", expiry="13AUG2026",
              strike="8000000.000000", lotsize="20", instrumenttype="OPTIDX", exch_seg="BFO"),
    angel_row("55", "VEDL25AUG26252.5PE", name="VEDL", expiry="25AUG2026",
              strike="25250.000000", lotsize="1150", instrumenttype="OPTSTK", exch_seg="NFO"),
]  # fmt: skip
KITE_MARKET = KITE_HEADER + "".join(
    f"{row}\n"
    for row in (
        "738561,2885,RELIANCE,RELIANCE,0.0,,0.0,0.1,1,EQ,NSE,NSE",
        "4267265,16669,BAJAJ-AUTO,BAJAJ AUTO,0.0,,0.0,0.1,1,EQ,NSE,NSE",
        "1793,7,SUNFARM-SM,SUNFARM,0.0,,0.0,0.1,1200,EQ,NSE,NSE",
        "256265,1001,NIFTY 50,NIFTY 50,0.0,,0.0,0.0,0,EQ,INDICES,NSE",
        "13058,51,BAJAJ-AUTO26AUGFUT,BAJAJ-AUTO,0.0,2026-08-25,0.0,0.1,75,FUT,NFO-FUT,NFO",
        "13314,52,NIFTY26AUG24350CE,NIFTY,0.0,2026-08-25,24350.0,0.1,65,CE,NFO-OPT,NFO",
        "13570,53,NIFTY2681824350PE,NIFTY,0.0,2026-08-18,24350.0,0.1,65,PE,NFO-OPT,NFO",
        "13829,54,SENSEX2681380000CE,SENSEX,0.0,2026-08-13,80000.0,0.1,20,CE,BFO-OPT,BFO",
        "14082,55,VEDL26AUG252.5PE,VEDL,0.0,2026-08-25,252.5,0.1,1150,PE,NFO-OPT,NFO",
    )
)
_DAY = "14:30:00"
DHAN_MARKET = DHAN_HEADER + "".join(
    dhan_row(*row.split("|"))
    for row in (
        "NSE|E|2885|EQUITY|0|RELIANCE|1|Reliance||||10|NA|ES|EQ|RELIANCE",
        "NSE|E|16669|EQUITY|0|BAJAJ-AUTO|1|Bajaj Auto||||10|NA|ES|EQ|BAJAJ AUTO",
        "NSE|E|7|EQUITY|0|SUNFARM|1200|Sunfarm||||10|NA|ES|SM|SUNFARM",
        "NSE|I|13|INDEX|0|NIFTY|1|Nifty 50|0001-01-01||XX|0.05||INDEX|X|NIFTY",
        f"NSE|D|51|FUTSTK|0|BAJAJ-AUTO-Aug2026-FUT|75|x|2026-08-25 {_DAY}||XX|10|M|F||",
        f"NSE|D|52|OPTIDX|0|NIFTY-Aug2026-24350-CE|65|x|2026-08-25 {_DAY}|24350|CE|10|M|O||NIFTY",
        f"NSE|D|53|OPTIDX|0|NIFTY-Aug2026-24350-PE|65|x|2026-08-18 {_DAY}|24350|PE|10|W|O||NIFTY",
        f"BSE|D|54|OPTIDX|0|SENSEX-Aug2026-80000-CE|20|x|2026-08-13 {_DAY}|80000|CE|10|W|O||S",
        f"NSE|D|55|OPTSTK|0|VEDL-Aug2026-252.5-PE|1150|x|2026-08-25 {_DAY}|252.5|PE|10|M|O||VEDL",
    )
)
MARKETS = {
    ImportKind.ANGEL_MASTER: angel_file(ANGEL_MARKET),
    ImportKind.KITE_MASTER: KITE_MARKET.encode(),
    ImportKind.DHAN_MASTER: DHAN_MARKET.encode(),
}


class FileServer:
    """A broker's file server: answers with ``body``, or breaks off where ``cut`` says."""

    def __init__(self) -> None:
        self.body, self.status, self.packed, self.cut, self.asked = b"", 200, False, 0, 0
        self.moved = False
        self._server = HTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand.asked += 1
                if stand.moved:
                    stand.moved = False
                    self.send_response(302)
                    self.send_header("Location", f"{stand.url}/elsewhere")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = gzip.compress(stand.body) if stand.packed else stand.body
                self.send_response(stand.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) - stand.cut])

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        return Handler

    @contextmanager
    def running(self) -> Iterator["FileServer"]:
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def connect_at(broker: str) -> BrokerConnection:
    """A desk's connection, of yesterday's login."""
    user = make_user("asha")
    return BrokerConnection.objects.create(
        workspace=make_workspace(user),
        user=user,
        broker_type=broker,
        alias=broker.title(),
        paper_trading=False,
        status=ConnectionStatus.EXPIRED,
    )
