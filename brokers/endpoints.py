"""Where brokers are: their own addresses, or a simulator's where the house is told so."""

from django.conf import settings


def root_of(broker: str, *, real: str) -> str:
    """Return the address to call: the broker's own, or what BROKER_ENDPOINTS names for it."""
    return (settings.BROKER_ENDPOINTS.get(broker) or real).rstrip("/")


def socket_root_of(broker: str, *, real: str) -> str:
    """Return the address of the broker's stream, at the same simulator as its calls."""
    simulated = settings.BROKER_ENDPOINTS.get(broker)
    if not simulated:
        return real.rstrip("/")
    return simulated.rstrip("/").replace("http", "ws", 1)


def is_simulated(broker: str) -> bool:
    return bool(settings.BROKER_ENDPOINTS.get(broker))
