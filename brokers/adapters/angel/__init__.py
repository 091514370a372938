"""Angel One, by its SmartAPI. Nothing of the SDK loads here."""

from brokers.registry import Broker

BROKER = Broker(name="angel", label="Angel One", is_paper=False)
