"""Alpaca Trading API v2: shares of the United States, in dollars."""

from brokers.registry import Broker

BROKER = Broker(name="alpaca", label="Alpaca", is_paper=False)
