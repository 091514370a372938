"""Which candles belong to what was asked. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, tzinfo

from brokers.abilities import BrokerCandle, CandleRequest

DAILY = "1d"


def whole_days(request: CandleRequest, zone: tzinfo) -> CandleRequest:
    """Return a request for days' candles from the first day's midnight to the end of the last.

    A day's candle is stamped with its midnight, which lies before the session that was asked for.
    """
    if request.interval != DAILY:
        return request
    first, last = (at.astimezone(zone).date() for at in (request.start, request.end))
    return replace(
        request,
        start=datetime.combine(first, time.min, zone),
        end=datetime.combine(last, time.max, zone),
    )


def within(candles: Iterable[BrokerCandle], request: CandleRequest) -> list[BrokerCandle]:
    """Return the candles of a request in their order, each moment once."""
    found = {candle.at: candle for candle in candles}
    return [found[at] for at in sorted(found) if request.start <= at <= request.end]
