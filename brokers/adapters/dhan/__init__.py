"""Dhan, by its DhanHQ API. Nothing of the SDK loads here."""

from brokers.registry import Broker

BROKER = Broker(name="dhan", label="Dhan", is_paper=False)
