"""Where brokers are: their own addresses, or a simulator's where the house is told so."""

from django.conf import settings


def root_of(broker: str, *, real: str) -> str:
    """Return the address to call: the broker's own, or what BROKER_ENDPOINTS names for it."""
    return _simulated(broker) or real.rstrip("/")


def socket_root_of(broker: str, *, real: str) -> str:
    """Return the address of the broker's stream, at the same simulator as its calls."""
    return _simulated(broker).replace("http", "ws", 1) or real.rstrip("/")


def is_simulated(broker: str) -> bool:
    return bool(_simulated(broker))


def _simulated(broker: str) -> str:
    return str(settings.BROKER_ENDPOINTS.get(broker, "")).rstrip("/")
