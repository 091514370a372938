"""Brokers' own numbers for instruments, both ways, for the adapters one floor below."""

from brokers.directory import install_directory
from brokers.gateway import InstrumentRef
from market.models import BrokerInstrument


class BrokerNumbers:
    """Reads ``broker_instruments``; what a broker's last master did not list is unknown."""

    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        listed = BrokerInstrument.objects.filter(broker_type=broker, exchange=exchange)
        known = listed.filter(security_id=token).values_list("instrument__key", flat=True).first()
        if known is None and not token.isdigit():
            # Rows that tell no number name the instrument all the same.
            named = listed.filter(broker_symbol=token, is_listed=True)
            known = named.values_list("instrument__key", flat=True).first()
        return known

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        row = (
            BrokerInstrument.objects.filter(broker_type=broker, instrument__key=key)
            .select_related("instrument")
            .newest_first()
            .first()
        )
        return None if row is None else ref_at(row)


def ref_at(row: BrokerInstrument) -> InstrumentRef:
    """Return the instrument as that broker numbers and names it; reads ``row.instrument``."""
    return row.instrument.ref(
        row.security_id, broker_symbol=row.broker_symbol, broker_exchange=row.exchange
    )


def install_broker_numbers() -> None:
    install_directory(BrokerNumbers())
