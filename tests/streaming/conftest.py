from collections.abc import Iterator

import pytest

from tests.streaming.house import TinyBroker


@pytest.fixture(scope="module")
def served() -> Iterator[TinyBroker]:
    made = TinyBroker()
    with made.server:
        yield made


@pytest.fixture
def tiny(served: TinyBroker) -> TinyBroker:
    served.reset()
    return served
