"""Zerodha Kite Connect v3."""

from brokers.registry import Broker

BROKER = Broker(name="kite", label="Zerodha Kite", is_paper=False)
