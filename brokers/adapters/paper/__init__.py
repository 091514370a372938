"""The built-in broker: real rules, simulated money, no network."""

from brokers.registry import Broker

BROKER = Broker(name="paper", label="Paper", is_paper=True)
