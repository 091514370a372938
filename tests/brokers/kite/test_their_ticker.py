"""The vendor's own ticker, in a process of its own, understands the simulated one."""

import json
import subprocess
import sys
import threading

from brokers.sessions import session_secrets
from tests.brokers.contract import buy, placed
from tests.brokers.kite.market import KiteMarket

LISTENER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from kiteconnect import KiteTicker
root, key, access, token = sys.argv[1:]
ticker = KiteTicker(key, access, root=root)

def on_connect(ws, response):
    ws.subscribe([int(token)])
    ws.set_mode(ws.MODE_FULL, [int(token)])

def on_ticks(ws, ticks):
    tick = ticks[0]
    if tick["mode"] == "full":
        told = {"price": tick["last_price"], "bids": len(tick["depth"]["buy"])}
        print(json.dumps(told), flush=True)

def on_order_update(ws, order):
    print(json.dumps({"status": order["status"], "tag": order["tag"]}), flush=True)
    if order["status"] == "OPEN":
        ws.stop()

ticker.on_connect, ticker.on_ticks, ticker.on_order_update = on_connect, on_ticks, on_order_update
ticker.connect()
"""


class TestTheVendorsTicker:
    def test_it_reads_our_packets_and_orders(self, kite: KiteMarket) -> None:
        kite.trade("101.00", volume=40)
        secrets = session_secrets(kite.account.connection, now=kite.now())
        told = [kite.stand.server.ws_url, secrets["api_key"], secrets["access_token"]]
        listener = subprocess.Popen(
            [sys.executable, "-c", LISTENER, *told, kite.share.token],
            stdout=subprocess.PIPE,
            text=True,
        )
        last_resort = threading.Timer(30, listener.kill)
        last_resort.start()
        try:
            assert listener.stdout is not None
            assert json.loads(listener.stdout.readline()) == {"price": 101.0, "bids": 5}
            placed(kite.gateway.place(buy(kite.share)))
            kite.wait()
            heard = [json.loads(line) for line in listener.stdout]
        finally:
            last_resort.cancel()
            listener.kill()
            listener.communicate()
        assert {"status": "OPEN", "tag": "TAG1"} in heard
