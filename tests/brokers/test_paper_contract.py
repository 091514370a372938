"""The paper broker keeps the port's contract."""

import pytest

from tests.brokers.contract import GatewayContract
from tests.brokers.paper import PaperMarket


class TestPaperGateway(GatewayContract):
    @pytest.fixture
    def driver(self, market: PaperMarket) -> PaperMarket:
        return market
