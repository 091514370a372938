"""SmartAPI's account endpoints: profile, money, positions, holdings, conversion, margin, eDIS."""

import threading
from decimal import Decimal

from brokers.simulator.angel.answers import Body, Refuse, listed, something_wrong, text
from brokers.simulator.angel.rows import (
    ORDER_TYPES,
    PRODUCTS,
    Row,
    funds_row,
    holding_row,
    position_row,
)
from brokers.simulator.angel.symbols import found
from brokers.simulator.exchange import Refusal, SimOrderRequest, SimulatedBroker
from brokers.terms import OrderType, Side

_KINDS = {word: kind for kind, word in ORDER_TYPES.items()}
_PRODUCTS = {word: product for product, word in PRODUCTS.items()}
_MOST_POSITIONS = 50


class AccountDesk:
    """What SmartAPI tells of one client's account."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        self._lock = threading.Lock()
        self._approved: dict[tuple[str, str], int] = {}

    def forget(self) -> None:
        """Begin again with no sale approved."""
        with self._lock:
            self._approved.clear()

    def profile(self, client: str) -> Row:
        """Return the profile; its lists are printed into texts, as recorded."""
        return {
            "clientcode": client,
            "name": f"DEMO CLIENT {client}",
            "email": "demo@example.com",
            "mobileno": "",
            "exchanges": "['bse_cm', 'nse_cm', 'nse_fo', 'bse_fo']",
            "products": "['NRML', 'CNC', 'MIS', 'MARGIN']",
            "lastlogintime": "",
            "brokerid": "B2C",
        }

    def funds(self, client: str) -> Row:
        return funds_row(self._broker.funds(client))

    def positions(self, client: str) -> list[Row] | None:
        return [position_row(each) for each in self._broker.positions(client)] or None

    def holdings(self, client: str) -> list[Row] | None:
        rows = []
        for held in self._broker.holdings(client):
            approved = self._approved.get((client, held.instrument.isin), 0)
            rows.append(holding_row(held, authorised=min(approved, held.quantity)))
        return rows or None

    def all_holdings(self, client: str) -> Row:
        rows = self.holdings(client) or []
        return {
            "holdings": rows,
            "totalholding": {
                "totalholdingvalue": 0,
                "totalinvvalue": 0,
                "totalprofitandloss": 0.0,
                "totalpnlpercentage": 0.0,
            },
        }

    def convert(self, client: str, body: Body) -> None:
        """Take a conversion; the simulated positions stay under the product they have.

        :raises Refuse: when there is no such position.
        """
        token, product = text(body, "symboltoken"), text(body, "oldproducttype")
        if text(body, "newproducttype") not in _PRODUCTS or text(body, "type") != "DAY":
            raise Refuse("AB1012", "Invalid Product Type")
        for position in self._broker.positions(client):
            is_it = position.instrument.token == token
            if is_it and PRODUCTS.get(position.product) == product:
                if abs(position.quantity) < int(text(body, "quantity") or "0"):
                    raise Refuse("AB1017", "Position conversion failed")
                return
        raise Refuse("AB1016", "Position not found")

    def margin(self, client: str, body: Body) -> Row:
        """:raises Refuse: for too many positions, or one that cannot be read."""
        positions = listed(body, "positions")
        if not 0 < len(positions) <= _MOST_POSITIONS:
            raise something_wrong()
        total = sum((self._margin(client, each) for each in positions), Decimal(0))
        return {
            "totalMarginRequired": float(total),
            "marginComponents": {"netPremium": 0.0, "spanMargin": 0.0, "marginBenefit": 0.0},
        }

    def approve(self, client: str, body: Body) -> Row:
        """Prepare the approval of a sale; here it counts as given."""
        with self._lock:
            key = (client, text(body, "isin"))
            self._approved[key] = self._approved.get(key, 0) + int(text(body, "quantity") or "0")
        return {
            "ReqId": "8180722758077144",
            "ReturnURL": "https://trade.angelbroking.com/cdslpoa/response",
            "DPId": "33200",
            "BOID": "1203320015222472",
            "TransDtls": "c2ltdWxhdGVk",
            "version": "1.1",
        }

    def _margin(self, client: str, body: Body) -> Decimal:
        instrument = found(self._broker, exchange=text(body, "exchange"), token=text(body, "token"))
        kind = _KINDS.get(text(body, "orderType"))
        product = _PRODUCTS.get(text(body, "productType"))
        if kind is None or product is None:
            raise something_wrong()
        price = Decimal(text(body, "price") or "0") or None
        request = SimOrderRequest(
            tag="",
            instrument_token=instrument.token,
            side=Side(text(body, "tradeType")),
            quantity=int(text(body, "qty")),
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            product=product,
            price=price,
        )
        margin = self._broker.margin(client, request)
        if isinstance(margin, Refusal):
            if margin.needed is None:
                raise something_wrong()
            return margin.needed
        return margin
