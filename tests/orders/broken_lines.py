"""The paper broker behind a bad line: it may execute and never answer, or answer nonsense."""

import contextlib
from collections.abc import Iterator
from typing import cast

from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import Gateway, GatewayUnavailable
from brokers.models import TradingAccount
from brokers.registry import Clock, use_gateway


class BrokenLine:
    """Passes everything on but what it is told to answer itself; deaf, it fails every read."""

    def __init__(
        self, gateway: Gateway, answers: dict[str, object], *, executes: bool, deaf: bool
    ) -> None:
        self._gateway, self._answers = gateway, answers
        self._executes, self._deaf = executes, deaf

    def __getattr__(self, name: str) -> object:
        real = getattr(self._gateway, name)
        if name in ("orders", "trades", "positions", "funds") and self._deaf:
            return _raise_unavailable
        if name not in self._answers:
            return real

        def answer(*arguments: object) -> object:
            if self._executes:
                real(*arguments)
            told = self._answers[name]
            return told() if callable(told) else told

        return answer


def _raise_unavailable() -> None:
    raise GatewayUnavailable("the broker does not answer")


@contextlib.contextmanager
def answering(
    *, broker: str = "paper", executes: bool = False, deaf: bool = False, **answers: object
) -> Iterator[None]:
    """Put the broken line in the paper broker's place: ``answering(place=Unknown("…"))``.

    A function is called for its answer, when the question comes. Another ``broker`` is the paper
    one under that name.
    """

    def factory(account: TradingAccount, clock: Clock) -> Gateway:
        line = BrokenLine(open_gateway(account, clock), answers, executes=executes, deaf=deaf)
        return cast(Gateway, line)

    use_gateway(broker, factory)
    try:
        yield
    finally:
        use_gateway(broker, None)
