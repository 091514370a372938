"""What the account has at Dhan: orders, trades, positions, holdings, money, permissions."""

import html
from collections.abc import Sequence

from brokers.abilities import Profile, SaleAuthorisation
from brokers.adapters.dhan import outcomes, rows, words
from brokers.adapters.dhan.client import in_path
from brokers.adapters.dhan.trading import product_to_send
from brokers.adapters.dhan.way import DhanRefused, Way
from brokers.gateway import (
    FundsReport,
    GatewayUnavailable,
    HoldingReport,
    Margin,
    OrderReport,
    PlaceRequest,
    PositionReport,
    TradeReport,
)
from brokers.rows import Listed, rows_of
from brokers.values import Row, Unreadable, count


class Books(Way):
    def orders(self) -> Listed[OrderReport]:
        return self._read(
            lambda client: client.get_order_list(),
            lambda body: rows.read_each(body, rows.order_report),
        )

    def order_by_tag(self, tag: str) -> OrderReport | None:
        """Look an order up by our tag.

        How Dhan says that it has none is not documented: only the whole book may say so.
        """
        try:
            found = self._read(
                lambda client: client.get_order_by_correlationID(in_path(tag)), _one_or_more
            )
        except DhanRefused as error:
            if outcomes.ends_session(error.error):
                raise
            found = Listed()
        if not any(each.tag == tag for each in found):
            found = self.orders()
        if any(each.tag in (tag, "") for each in found.unreadable):
            raise GatewayUnavailable(f"Dhan's row of order {tag} cannot be read")
        return next((each for each in found if each.tag == tag), None)

    def trades(self) -> Sequence[TradeReport]:
        return self._read(
            lambda client: client.get_trade_book(),
            lambda body: rows.read_each(body, rows.trade_report),
        )

    def positions(self) -> Sequence[PositionReport]:
        return self._read(
            lambda client: client.get_positions(),
            lambda body: rows.read_each(body, rows.position_report),
        )

    def holdings(self) -> Sequence[HoldingReport]:
        """Return the holdings; Dhan says "none" by an error of its own."""
        try:
            return self._read(
                lambda client: client.get_holdings(),
                lambda body: rows.read_each(body, rows.holding_report),
            )
        except DhanRefused as error:
            if error.error.code == outcomes.NO_HOLDINGS:
                return []
            raise

    def funds(self) -> FundsReport:
        return self._read(
            lambda client: client.get_fund_limits(),
            lambda body: rows.funds_report(rows.read_object(body)),
        )

    def margin(self, request: PlaceRequest) -> Margin:
        return self._read(
            lambda client: client.margin_calculator(
                security_id=words.number_of(request.instrument),
                exchange_segment=words.segment_of(request.instrument),
                transaction_type=request.side.value,
                quantity=words.quantity_to_send(request.instrument, request.quantity),
                product_type=product_to_send(request.product),
                price=words.price_to_send(request.price),
                trigger_price=words.price_to_send(request.trigger_price),
            ),
            lambda body: rows.margin_report(rows.read_object(body)),
        )

    def profile(self) -> Profile:
        return self._read(
            lambda client: client.profile(), lambda body: read_profile(rows.read_object(body))
        )

    def kill_switch_is_on(self) -> bool:
        """Tell whether the account's own kill switch at Dhan stops trading for today."""
        return self._read(lambda client: client.status_kill_switch(), _kill_switch)

    def sale_authorisations(self) -> Sequence[SaleAuthorisation]:
        return self._read(lambda client: client.edis_inquiry("ALL"), _authorisations)

    def authorisation_page(self, isin: str, quantity: int) -> str:
        """Return the HTML of the depository's form, where the person enters the TPIN."""
        return self._read(
            lambda client: client.edis_form(isin=isin, quantity=quantity, exchange="NSE"),
            _form,
        )

    def ask_for_tpin(self) -> None:
        """Have the depository send its TPIN to the person's telephone.

        :raises GatewayUnavailable: when Dhan did not take the request.
        """
        self._ask(lambda client: client.generate_tpin())


def read_profile(row: Row) -> Profile:
    segments = str(row.get("activeSegment") or "").split(",")
    flags = {name: str(row.get(name) or "") for name in ("ddpi", "mtf", "dataPlan")}
    return Profile(
        client_code=str(row.get("dhanClientId") or ""),
        name=str(row.get("dhanClientName") or ""),
        exchanges=tuple(each.strip() for each in segments if each.strip()),
        permissions=tuple(f"{name} {word}" for name, word in flags.items() if word),
        token_valid_until=words.time_told(row.get("tokenValidity")),
    )


def _one_or_more(body: object) -> Listed[OrderReport]:
    return rows.read_each(body if isinstance(body, list) else [body], rows.order_report)


def _kill_switch(body: object) -> bool:
    word = str(rows.read_object(body).get("killSwitchStatus") or "").upper()
    if word not in ("ACTIVATE", "ACTIVE", "DEACTIVATE", "INACTIVE"):
        raise Unreadable(f"Dhan told a kill switch that is not known here: {word!r}"[:200])
    return word in ("ACTIVATE", "ACTIVE")


def _authorisations(body: object) -> list[SaleAuthorisation]:
    return [
        SaleAuthorisation(
            isin=str(row.get("isin") or ""),
            quantity=count(row.get("totalQty"), "totalQty", least=0),
            approved_quantity=count(row.get("aprvdQty"), "aprvdQty", least=0),
            words=str(row.get("remarks") or row.get("status") or ""),
        )
        for row in rows_of(body if isinstance(body, list) else [body], "approvals")
    ]


def _form(body: object) -> str:
    page = rows.read_object(body).get("edisFormHtml")
    if not isinstance(page, str) or not page.strip():
        raise Unreadable("Dhan sent no form of the depository")
    return html.unescape(page.replace("\\", ""))
