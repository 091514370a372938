"""The live stream: who hears what, what a slow or returning page is told, how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import Workspace
from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from market.quote_terms import QuoteView, moved, movements
from market.quotes import write_quotes
from operations.events import publish
from operations.ids import new_id
from portfolio.models import TradingSession
from tests.builders import NOW, make_account, make_user, make_workspace
from trading_site.streaming import Hub, Mailbox

SHARE = "SIM:TCS"
stored = pytest.mark.django_db(transaction=True)


def quote(price: str, *, seconds: int = 0) -> QuoteView:
    tick = QuoteTick(SHARE, Decimal(price), NOW + timedelta(seconds=seconds))
    return moved(None, movements([tick])[0])


def data_of(message: str) -> dict[str, Any]:
    line = next(line for line in message.splitlines() if line.startswith("data: "))
    return dict(json.loads(line.removeprefix("data: ")))


@pytest.fixture
def desk(transactional_db: None) -> Workspace:
    return make_workspace(make_user())


def announce(workspace: Workspace | None, kind: str = "orders", *, age: float = 60) -> int:
    """Publish; an age beyond the seconds of loading keeps a new page from hearing it as missed."""
    now = timezone.now() - timedelta(seconds=age)
    return publish(kind, workspace_id=workspace.pk if workspace else None, now=now).pk


async def let_go_of_the_database() -> None:
    """Close what the middleware's thread has opened; the test client leaves it open."""
    await sync_to_async(connections.close_all)()


async def aside(write: Callable[..., object], *args: object) -> None:
    """Write in a thread: a connection opened in the loop's own context would never be closed."""
    await sync_to_async(write)(*args)
    await let_go_of_the_database()


class TestMailbox:
    def take(self, mailbox: Mailbox) -> list[str]:
        return asyncio.run(mailbox.take(timeout=0.05))

    def test_pings_when_nothing_has_come(self) -> None:
        assert self.take(Mailbox(new_id(), frozenset())) == [": ping\n\n"]

    def test_holds_no_quotes_that_its_page_does_not_show(self) -> None:
        mailbox = Mailbox(new_id(), frozenset({"SIM:INFY"}))
        mailbox.put_quotes({SHARE: quote("100")})
        assert self.take(mailbox) == [": ping\n\n"]

    def test_keeps_a_slow_reader_only_the_newest_price(self) -> None:
        mailbox = Mailbox(new_id(), frozenset({SHARE}))
        for second in range(100):
            mailbox.put_quotes({SHARE: quote(str(100 + second), seconds=second)})
        messages = self.take(mailbox)
        assert [data_of(each)[SHARE]["p"] for each in messages] == ["199"]

    def test_does_not_repeat_a_price_that_stands_still(self) -> None:
        mailbox = Mailbox(new_id(), frozenset({SHARE}))
        mailbox.put_quotes({SHARE: quote("100")})
        self.take(mailbox)
        mailbox.put_quotes({SHARE: quote("100")})
        assert self.take(mailbox) == [": ping\n\n"]

    def test_wakes_its_reader_when_it_is_closed(self) -> None:
        mailbox = Mailbox(new_id(), frozenset())
        mailbox.close()
        assert self.take(mailbox) == []
        assert mailbox.is_closed

    def test_tells_price_change_and_time(self) -> None:
        tick = QuoteTick(SHARE, Decimal("105"), NOW + timedelta(days=1))
        cell = self.told(moved(quote("100"), movements([tick])[0]))
        price = {"p": "105", "c": "5", "cp": "5.00", "t": "2026-06-18T05:00:00+00:00"}
        assert cell.items() >= price.items()

    def test_tells_what_is_bid_offered_and_traded(self) -> None:
        at, bid = NOW + timedelta(seconds=1), Decimal("99.5")
        tick = QuoteTick(SHARE, Decimal("100"), at, volume=7, bid=bid, bid_quantity=40)
        cell = self.told(moved(quote("100"), movements([tick])[0]))
        facts = {"bid": "99.5", "ask": None, "bid_quantity": 40, "high": "100", "low": "100"}
        assert cell.items() >= facts.items()

    def told(self, shown: QuoteView) -> dict[str, Any]:
        mailbox = Mailbox(new_id(), frozenset({SHARE}))
        mailbox.put_quotes({SHARE: shown})
        cell: dict[str, Any] = data_of(self.take(mailbox)[0])[SHARE]
        return cell


@stored
class TestHub:
    def listen(self, desk: Workspace, *, last_id: int | None = None) -> list[str]:
        """Open a mailbox, publish for this desk, another and all; return the first news told."""
        stranger = make_workspace(make_user("ravi"), "Other desk")

        async def run() -> list[str]:
            hub, mailbox = Hub(), Mailbox(desk.pk, frozenset())
            await hub.join(mailbox, last_id=last_id)
            await hub.poll_news()
            await aside(announce, stranger, "risk")
            await aside(announce, desk, "orders")
            await aside(announce, None, "notifications")
            await hub.poll_news()
            hub.leave(mailbox)
            return await mailbox.take(timeout=2)

        return asyncio.run(run())

    def test_tells_a_desk_its_own_news_and_everybodys(self, desk: Workspace) -> None:
        kinds = [data_of(message)["kind"] for message in self.listen(desk)]
        assert kinds == ["orders", "notifications"]

    def test_tells_nothing_of_the_time_before(self, desk: Workspace) -> None:
        announce(desk, "strategies")
        assert "strategies" not in "".join(self.listen(desk))

    def test_tells_a_new_page_what_changed_while_it_loaded(self, desk: Workspace) -> None:
        announce(desk, "strategies", age=1)
        assert "strategies" in "".join(self.listen(desk))

    def test_tells_a_returning_page_what_it_missed(self, desk: Workspace) -> None:
        seen = announce(desk, "funds")
        announce(desk, "strategies")
        messages = "".join(self.listen(desk, last_id=seen))
        assert "strategies" in messages
        assert "funds" not in messages

    def test_tells_each_row_once(self, desk: Workspace) -> None:
        async def run() -> list[str]:
            hub, mailbox = Hub(), Mailbox(desk.pk, frozenset())
            await hub.join(mailbox, last_id=None)
            await hub.poll_news()
            await aside(announce, desk)
            await hub.poll_news()
            await mailbox.take(timeout=2)
            await hub.poll_news()
            hub.leave(mailbox)
            return await mailbox.take(timeout=0.05)

        assert asyncio.run(run()) == [": ping\n\n"]

    def test_tells_a_desk_that_its_positions_were_valued(self, desk: Workspace) -> None:
        account = make_account(desk)

        async def run() -> list[str]:
            hub, mailbox = Hub(), Mailbox(desk.pk, frozenset())
            await hub.join(mailbox, last_id=None)
            await hub.poll_marks()
            await aside(self.mark, account)
            await hub.poll_marks()
            hub.leave(mailbox)
            return await mailbox.take(timeout=2)

        assert [data_of(message)["kind"] for message in asyncio.run(run())] == ["positions"]

    def mark(self, account: TradingAccount) -> None:
        TradingSession.objects.create(
            workspace=account.workspace,
            user=account.workspace.owner,
            account=account,
            session_date=NOW.date(),
            start_time=NOW,
            capital_at_start=0,
            marked_at=timezone.now(),
        )

    def test_reads_the_prices_of_its_pages(self, desk: Workspace) -> None:
        write_quotes([QuoteTick(SHARE, Decimal(100), NOW)])

        async def run() -> list[str]:
            hub, mailbox = Hub(), Mailbox(desk.pk, frozenset({SHARE, "SIM:UNKNOWN"}))
            await hub.join(mailbox, last_id=None)
            await hub.poll_quotes()
            hub.leave(mailbox)
            return await mailbox.take(timeout=2)

        assert [set(data_of(message)) for message in asyncio.run(run())] == [{SHARE}]


class HasStatus(Protocol):
    status_code: int


async def status_of(answer: Awaitable[HasStatus]) -> int:
    response = await answer
    await let_go_of_the_database()
    return response.status_code


@stored
class TestStream:
    def test_sends_a_stranger_to_sign_in(self) -> None:
        assert asyncio.run(status_of(AsyncClient().get("/stream/"))) == 302

    def test_refuses_everything_but_get(self, desk: Workspace) -> None:
        client = AsyncClient()
        client.force_login(desk.owner)
        assert asyncio.run(status_of(client.post("/stream/"))) == 405

    def test_streams_until_the_page_goes_away(self, desk: Workspace) -> None:
        write_quotes([QuoteTick(SHARE, Decimal(100), NOW)])
        client = AsyncClient()
        client.force_login(desk.owner)

        async def run() -> tuple[StreamingHttpResponse, list[str]]:
            response = await client.get("/stream/", {"keys": SHARE})
            assert isinstance(response, StreamingHttpResponse)
            messages: AsyncIterator[bytes] = aiter(response.streaming_content)
            first = [(await anext(messages)).decode() for _ in range(2)]
            await messages.aclose()
            await let_go_of_the_database()
            return response, first

        response, messages = asyncio.run(run())
        assert response["Cache-Control"] == "no-cache"
        assert response["X-Accel-Buffering"] == "no"
        assert response["Content-Type"] == "text/event-stream"
        assert messages[0] == "retry: 2000\n\n"
        assert Decimal(data_of(messages[1])[SHARE]["p"]) == 100
