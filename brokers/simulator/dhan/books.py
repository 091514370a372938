"""What an account at the simulated Dhan has: books, money, profile, switches, eDIS."""

import html

from brokers.simulator.dhan import rows
from brokers.simulator.dhan.calls import Call, Wrong, nothing
from brokers.simulator.dhan.trading import read_order
from brokers.simulator.exchange import Refusal, SimOrderRequest
from brokers.terms import OrderType, Product, Side, Validity
from brokers.venue import IST


def orders(call: Call) -> object:
    return [rows.order_row(each, call.house.listing) for each in call.broker.orders(call.client)]


def order(call: Call) -> object:
    found = call.broker.order(call.client, call.request.path_params["order_id"])
    if found is None:
        raise Wrong("DH-906", "Incorrect request for order and cannot be processed")
    return rows.order_row(found, call.house.listing)


def order_by_tag(call: Call) -> object:
    tagged = call.broker.orders_tagged(call.client, call.request.path_params["tag"])
    if not tagged:
        raise Wrong("DH-906", "Incorrect request for order and cannot be processed")
    return rows.order_row(tagged[-1], call.house.listing)


def trades(call: Call) -> object:
    order_id = call.request.path_params.get("order_id") or None
    made = call.broker.trades(call.client, order_id)
    return [rows.trade_row(each, call.house.listing) for each in made]


def positions(call: Call) -> object:
    held = call.broker.positions(call.client)
    return [rows.position_row(call.client, each, call.house.listing) for each in held]


def convert(call: Call) -> object:
    """Check the conversion and answer with nothing; the simulated exchange keeps no conversions."""
    listed = call.listed()
    quantity = listed.units(call.count("convertQty"))
    sign = 1 if call.text("positionType") == "LONG" else -1
    product = rows.PRODUCTS
    held = [
        each
        for each in call.broker.positions(call.client)
        if each.instrument == listed.instrument
        and product[each.product] == call.text("fromProductType")
        and each.quantity * sign >= quantity > 0
    ]
    if not held:
        raise Wrong("DH-906", "No position to convert")
    call.text("toProductType")
    return nothing()


def holdings(call: Call) -> object:
    """List the holdings; none at all is an error at Dhan."""
    held = call.broker.holdings(call.client)
    if not held:
        raise Wrong("DH-1111", "No holdings available")
    return [rows.holding_row(each, call.house.listing) for each in held]


def funds(call: Call) -> object:
    told = call.broker.funds(call.client)
    return {
        "dhanClientId": call.client,
        "availabelBalance": rows.money(told.available),
        "sodLimit": rows.money(told.opening_balance),
        "collateralAmount": 0.0,
        "receiveableAmount": 0.0,
        "utilizedAmount": rows.money(told.used),
        "blockedPayoutAmount": 0.0,
        "withdrawableBalance": rows.money(told.available),
    }


def margin(call: Call) -> object:
    """Work out the margin, also of an order that the money would not reach for."""
    call.body.setdefault("orderType", "LIMIT" if call.price("price") else "MARKET")
    asked = read_order(call)
    needed = call.broker.margin(call.client, asked)
    if isinstance(needed, Refusal):
        if needed.needed is None:
            raise Wrong("DH-905", needed.words)
        needed = needed.needed
    available = call.broker.funds(call.client).available
    return {
        "totalMargin": rows.money(needed),
        "spanMargin": 0.0,
        "exposureMargin": 0.0,
        "availableBalance": rows.money(available),
        "variableMargin": rows.money(needed),
        "insufficientBalance": rows.money(max(needed - available, available * 0)),
        "brokerage": 20.0,
        "leverage": "1.00",
    }


def profile(call: Call) -> object:
    token = call.request.headers["access-token"]
    session = call.house.tokens.session(token)
    until = session.expires_at.astimezone(IST) if session else None
    return {
        "dhanClientId": call.client,
        "tokenValidity": f"{until:%d/%m/%Y %H:%M}" if until else "",
        "activeSegment": "Equity, Derivative, Currency, Commodity",
        "ddpi": "Active",
        "mtf": "Active",
        "dataPlan": "Active",
        "dataValidity": "2030-12-31 00:00:00.0",
    }


def renew_token(call: Call) -> object:
    return call.house.tokens.issue(call.client)


def kill_switch(call: Call) -> object:
    asked = call.request.query_params.get("killSwitchStatus")
    if asked is not None:
        if asked not in ("ACTIVATE", "DEACTIVATE"):
            raise Wrong("DH-905", "Invalid killSwitchStatus")
        call.house.kill_switches[call.client] = asked
    status = call.house.kill_switches.get(call.client, "DEACTIVATE")
    return {"dhanClientId": call.client, "killSwitchStatus": status}


def addresses(call: Call) -> object:
    told = call.house.addresses.setdefault(call.client, {"PRIMARY": "", "SECONDARY": ""})
    if call.request.method != "GET":
        told[call.text("ipFlag")] = call.text("ip")
        return {"message": "IP saved successfully", "status": "SUCCESS"}
    return {
        "primaryIP": told["PRIMARY"],
        "modifyDatePrimary": "2026-01-01",
        "secondaryIP": told["SECONDARY"],
        "modifyDateSecondary": "2026-01-01",
    }


def exit_all(call: Call) -> object:
    """Cancel what works and close every position at the market."""
    for each in call.broker.orders(call.client):
        if not each.state.is_final:
            call.broker.cancel(call.client, each.order_id)
    for held in call.broker.positions(call.client):
        if held.quantity:
            _close(call, held.instrument.token, held.product, held.quantity)
    return {"status": "SUCCESS", "message": "All orders and positions exited successfully"}


def tpin(_: Call) -> object:
    return nothing()


def edis_form(call: Call) -> object:
    page = (
        f'<form action="https://edis.cdslindia.com/" method="post">'
        f'<input name="isin" value="{html.escape(call.text("isin"))}">'
        f'<input name="qty" value="{call.count("qty")}"></form>'
    )
    return {"dhanClientId": call.client, "edisFormHtml": page.replace('"', '\\"')}


def edis_inquiry(call: Call) -> object:
    wanted = call.request.path_params["isin"]
    return [
        {
            "clientId": call.client,
            "isin": held.instrument.isin,
            "totalQty": held.quantity,
            "aprvdQty": 0,
            "status": "SUCCESS",
            "remarks": "eDIS transaction done successfully",
        }
        for held in call.broker.holdings(call.client)
        if wanted in ("ALL", held.instrument.isin)
    ]


def nothing_listed(_: Call) -> object:
    return []


def _close(call: Call, token: str, product: Product, quantity: int) -> None:
    side = Side.SELL if quantity > 0 else Side.BUY
    asked = SimOrderRequest("", token, side, abs(quantity), OrderType.MARKET, product, Validity.DAY)
    call.broker.place(call.client, asked)
