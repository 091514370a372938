"""The simulated Dhan's data API: quotes, charts, option chains."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from starlette.responses import Response

from brokers.simulator.candles import TooManyCandles
from brokers.simulator.dhan import rows
from brokers.simulator.dhan.calls import Call, Wrong, data_failure
from brokers.simulator.dhan.listing import Listed
from brokers.simulator.exchange import SimCandle, SimQuote
from brokers.simulator.records import DepthLevel
from brokers.terms import InstrumentType
from brokers.venue import IST

_MOST_IDS = 1_000
_MINUTES = (1, 5, 15, 25, 60)
_LONGEST = timedelta(days=90)
_DAY_SHAPE, _TIME_SHAPE = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"


def quote(call: Call) -> object:
    """Answer /marketfeed/ltp, ohlc and quote; what nobody knows is left out."""
    asked = {name: numbers for name, numbers in call.body.items() if isinstance(numbers, list)}
    if sum(map(len, asked.values())) > _MOST_IDS:
        return data_failure(804, "Requested number of instruments exceeds limit")
    kind = call.request.path_params["kind"]
    told: dict[str, dict[str, object]] = {}
    for segment, numbers in asked.items():
        for number in numbers:
            listed = call.house.listing.find(segment, str(number))
            if listed is not None:
                quoted = call.broker.quote(listed.instrument.token)
                told.setdefault(segment, {})[listed.number] = _quoted(quoted, kind)
    return {"data": told, "status": "success"}


def daily(call: Call) -> object:
    listed = _charted(call)
    first = _day(call.text("fromDate"), _DAY_SHAPE)
    last = _day(call.text("toDate"), _DAY_SHAPE) - timedelta(seconds=1)  # told without it
    made = call.broker.candles(listed.instrument.token, timedelta(days=1), first, last)
    return _columns(made, with_interest=bool(call.body.get("oi")))


def intraday(call: Call) -> object:
    listed = _charted(call)
    minutes = int(call.text("interval"))
    if minutes not in _MINUTES:
        raise Wrong("DH-905", "Invalid interval")
    first = _day(call.text("fromDate"), _TIME_SHAPE)
    last = _day(call.text("toDate"), _TIME_SHAPE)
    if last - first > _LONGEST:
        raise Wrong("DH-905", "Data can be fetched for 90 days at once")
    try:
        made = call.broker.candles(listed.instrument.token, timedelta(minutes=minutes), first, last)
    except TooManyCandles:
        raise Wrong("DH-907", "Unable to fetch data") from None
    return _columns(made, with_interest=bool(call.body.get("oi")))


def option_chain(call: Call) -> Response | object:
    underlying = _underlying(call)
    if underlying is None:
        return data_failure(813, "Invalid Security ID")
    try:
        expiry = datetime.strptime(str(call.body.get("Expiry")), _DAY_SHAPE).date()  # noqa: DTZ007
    except ValueError:
        return data_failure(811, "Invalid Expiry Date")
    chain: dict[str, dict[str, object]] = {}
    for each in call.house.listing.options_of(underlying):
        if each.instrument.expiry == expiry:
            strike = f"{each.instrument.strike:.6f}"
            side = "ce" if each.instrument.kind is InstrumentType.CE else "pe"
            chain.setdefault(strike, {})[side] = _option(call, each)
    spot = call.broker.quote(underlying.instrument.token).last_price
    return {"data": {"last_price": rows.money(spot), "oc": chain}, "status": "success"}


def expiries(call: Call) -> Response | object:
    underlying = _underlying(call)
    if underlying is None:
        return data_failure(813, "Invalid Security ID")
    days = {each.instrument.expiry for each in call.house.listing.options_of(underlying)}
    return {"data": sorted(f"{day}" for day in days if day), "status": "success"}


def _underlying(call: Call) -> Listed | None:
    number, segment = call.body.get("UnderlyingScrip"), call.body.get("UnderlyingSeg")
    return call.house.listing.find(str(segment), str(number))


def _charted(call: Call) -> Listed:
    call.text("instrument")
    return call.listed()


def _day(text: str, shape: str) -> datetime:
    try:
        return datetime.strptime(text, shape).replace(tzinfo=IST)
    except ValueError:
        raise Wrong("DH-905", "Invalid date format") from None


def _columns(candles: tuple[SimCandle, ...], *, with_interest: bool) -> dict[str, list[object]]:
    """Return the parallel arrays; volumes come with a fraction, as Dhan's do."""
    return {
        "open": [rows.money(each.open) for each in candles],
        "high": [rows.money(each.high) for each in candles],
        "low": [rows.money(each.low) for each in candles],
        "close": [rows.money(each.close) for each in candles],
        "volume": [float(each.volume) for each in candles],
        "timestamp": [each.start.timestamp() for each in candles],
        "open_interest": [float(each.open_interest) for each in candles] if with_interest else [],
    }


def _quoted(told: SimQuote, kind: str) -> rows.Row:
    row: rows.Row = {"last_price": rows.money(told.last_price)}
    if kind == "ltp":
        return row
    row["ohlc"] = {
        "open": rows.money(told.open),
        "close": rows.money(told.close),
        "high": rows.money(told.high),
        "low": rows.money(told.low),
    }
    if kind == "ohlc":
        return row
    return {
        **row,
        "average_price": rows.money(told.average_price),
        "buy_quantity": sum(each.quantity for each in told.bids),
        "sell_quantity": sum(each.quantity for each in told.asks),
        "depth": {"buy": list(_levels(told.bids)), "sell": list(_levels(told.asks))},
        "last_quantity": told.last_quantity,
        "last_trade_time": f"{told.at.astimezone(IST):%d/%m/%Y %H:%M:%S}",
        "lower_circuit_limit": rows.money(told.lower_circuit),
        "upper_circuit_limit": rows.money(told.upper_circuit),
        "net_change": rows.money(told.last_price - told.close),
        "volume": told.volume,
        "oi": told.open_interest,
        "oi_day_high": told.open_interest,
        "oi_day_low": told.open_interest,
    }


def _levels(levels: tuple[DepthLevel, ...]) -> Iterator[rows.Row]:
    """Give five levels, empty ones where there are fewer."""
    for each in levels[:5]:
        yield {
            "quantity": each.quantity,
            "orders": each.orders,
            "price": rows.money(each.price),
        }
    for _ in range(5 - min(len(levels), 5)):
        yield {"quantity": 0, "orders": 0, "price": 0.0}


def _option(call: Call, listed: Listed) -> rows.Row:
    told = call.broker.quote(listed.instrument.token)
    is_call = listed.instrument.kind is InstrumentType.CE
    return {
        "average_price": rows.money(told.average_price),
        "greeks": {
            "delta": 0.53871 if is_call else -0.46129,
            "theta": -15.1539,
            "gamma": 0.00132,
            "vega": 12.18593,
        },
        "implied_volatility": 9.789193798280868,
        "last_price": rows.money(told.last_price),
        "oi": told.open_interest,
        "previous_close_price": rows.money(told.close),
        "previous_oi": told.open_interest,
        "previous_volume": 0,
        "security_id": int(listed.number),
        "top_ask_price": rows.money(told.asks[0].price) if told.asks else 0.0,
        "top_ask_quantity": told.asks[0].quantity if told.asks else 0,
        "top_bid_price": rows.money(told.bids[0].price) if told.bids else 0.0,
        "top_bid_quantity": told.bids[0].quantity if told.bids else 0,
        "volume": told.volume,
    }
