"""A stream's life over a real socket: let in, sharded, silent, broken, refused and back."""

from brokers.models import StreamStatus
from brokers.streaming.inbox import Doubt, HeardOrders, HeardWords
from brokers.streaming.protocol import StreamKind
from brokers.streaming.supervisor import Pace
from tests.streaming.house import Heeding, Running, TinyBroker, TinyHouse, until

KEYS = ("A", "B", "C", "D")
ORDERS = {"kind": StreamKind.ORDERS, "per_connection": 0, "connections": 1}


class TestRefused:
    def test_by_the_brokers_words_ends_the_login_it_was_opened_with(self, tiny: TinyBroker) -> None:
        tiny.token = "tomorrow"
        with Running(TinyHouse(tiny)) as heeding:
            until(lambda: "ERROR" in heeding.states())
            ended = heeding.last("ERROR")
        assert (ended.doubt, ended.session, ended.words) == (
            Doubt.OVER,
            "today",
            "The login is over",
        )

    def test_at_the_door_only_doubts_it(self, tiny: TinyBroker) -> None:
        tiny.refused = True
        with Running(TinyHouse(tiny)) as heeding:
            until(lambda: "ERROR" in heeding.states())
            assert heeding.last("ERROR").doubt is Doubt.REFUSED

    def test_in_words_of_many_reasons_only_doubts_it(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny)) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.say("doubt")
            until(lambda: "ERROR" in heeding.states())
            assert heeding.last("ERROR").doubt is Doubt.REFUSED

    def test_comes_back_with_the_next_session_without_a_restart(self, tiny: TinyBroker) -> None:
        house = TinyHouse(tiny)
        with Running(house) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.token = "tomorrow"
            tiny.hang_up()
            until(lambda: "ERROR" in heeding.states())
            house.token = "tomorrow"
            until(lambda: heeding.states()[-1] == "CONNECTED")
            assert heeding.last("CONNECTED").session == "tomorrow"

    def test_waits_while_nobody_is_logged_in(self, tiny: TinyBroker) -> None:
        house = TinyHouse(tiny, token="")
        with Running(house) as heeding:
            until(lambda: "DISCONNECTED" in heeding.states())
            house.token = "today"
            until(lambda: "CONNECTED" in heeding.states())


class TestDead:
    def test_a_socket_that_says_nothing_is_given_up(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny)) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.faults.arm("silent_stream")
            until(lambda: "ERROR" in heeding.states())
            assert heeding.last("ERROR").words == "Nothing was heard for 0.4 s"
            tiny.faults.clear()
            until(lambda: heeding.states()[-1] == "CONNECTED")

    def test_a_line_that_answers_no_ping_is_given_up_though_silence_is_usual(
        self, tiny: TinyBroker
    ) -> None:
        house = TinyHouse(tiny, terms={**ORDERS, "stale_after": 900.0, "heartbeat_every": None})
        pace = Pace(0.02, 0.02, 0.1, ping_every=0.1, jitter=lambda least, most: most)
        with Running(house, pace) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.faults.arm("half_open")
            until(lambda: "ERROR" in heeding.states())
            tiny.faults.clear()
            until(lambda: heeding.states()[-1] == "CONNECTED")

    def test_one_that_cannot_be_reached_is_tried_with_growing_pauses(self) -> None:
        pauses: list[float] = []

        def jitter(least: float, most: float) -> float:
            pauses.append(most)
            return 0.01

        gone = TinyBroker()
        gone.server.port = 9  # nobody listens there
        pace = Pace(0.02, 0.5, 3.0, jitter=jitter)
        with Running(TinyHouse(gone), pace) as heeding:
            until(lambda: len(pauses) >= 4)
            assert heeding.last("ERROR").words.startswith("The stream broke")
        assert pauses[:4] == [1.0, 2.0, 3.0, 3.0]


class TestSubscribing:
    def test_is_done_in_chunks_and_shards_and_tells_what_is_beyond(self, tiny: TinyBroker) -> None:
        house = TinyHouse(tiny, keys=[*KEYS, "E", "F", "G", "H"])
        with Running(house) as heeding:
            until(lambda: heeding.states(1)[-1:] == ["CONNECTED"])
            until(lambda: all(len(_subscriptions(each)) == 2 for each in tiny.asked))
            words = [each.words for each in heeding.heard if isinstance(each, HeardWords)]
        assert sorted(map(_subscriptions, tiny.asked)) == [["+A,B", "+C"], ["+D,E", "+F"]]
        assert words == ["2 instruments are beyond what the broker's stream carries"]

    def test_follows_what_is_wanted(self, tiny: TinyBroker) -> None:
        house = TinyHouse(tiny, keys=["A", "B"])
        with Running(house) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            house.keys = ["B", "C"]
            until(lambda: _subscriptions(tiny.asked[0]) == ["+A,B", "-A", "+C"])

    def test_is_done_anew_on_coming_back(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny, keys=["A"])) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.hang_up()
            until(lambda: len(tiny.asked) > 1 and _subscriptions(tiny.asked[-1]) == ["+A"])

    def test_waits_until_the_broker_has_let_us_in(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny, keys=["A"])):
            until(lambda: tiny.asked and _subscriptions(tiny.asked[0]))
            assert tiny.asked[0][0] == "hello today"


class TestListening:
    def test_beats(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny)) as heeding:
            until(lambda: tiny.asked and tiny.asked[0].count("beat") > 2)
            assert "ERROR" not in heeding.states()

    def test_goes_on_after_what_it_does_not_understand(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny, keys=["A"])) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.say("\x00 garbage", "tick A 101")
            until(heeding.prices)
            complaints = [each for each in heeding.heard if isinstance(each, HeardWords)]
        assert [each.words for each in complaints][:1] == ["Not understood: \x00 garbage"]
        assert "ERROR" not in heeding.states()

    def test_takes_the_words_back_at_the_next_good_frame(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny, keys=["A"])) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.say("garbage", "tick A 101", "tick A 102")
            until(lambda: len(heeding.prices()) == 2)
        assert _words(heeding) == ["Not understood: garbage", ""]

    def test_goes_on_saying_what_is_beyond_it(self, tiny: TinyBroker) -> None:
        house = TinyHouse(tiny, keys=[*KEYS, "E", "F", "G"])
        with Running(house) as heeding:
            until(lambda: heeding.states(1)[-1:] == ["CONNECTED"])
            tiny.say("garbage", "tick A 101")
            until(heeding.prices)
        beyond = "1 instruments are beyond what the broker's stream carries"
        assert _words(heeding, shard=0)[-1] == beyond

    def test_reads_orders_in_threads_and_in_order(self, tiny: TinyBroker) -> None:
        house = TinyHouse(tiny, terms=ORDERS)
        with Running(house) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            tiny.say(*(f"order {filled}" for filled in range(11)))
            until(lambda: len(_fills(heeding)) == 11)
        assert _fills(heeding) == list(range(11))
        assert all(name.startswith("asyncio_") for name in house.read_in)

    def test_a_broken_socket_leaves_the_other_shards_alone(self, tiny: TinyBroker) -> None:
        with Running(TinyHouse(tiny, keys=KEYS)) as heeding:
            until(lambda: heeding.states(1)[-1:] == ["CONNECTED"])
            tiny.hub.connections()[1].close(1011)
            until(
                lambda: (
                    heeding.states(0).count("CONNECTED") + heeding.states(1).count("CONNECTED") > 2
                )
            )
            assert StreamStatus.ERROR in {*heeding.states(0), *heeding.states(1)}
            assert len([s for s in (0, 1) if "ERROR" in heeding.states(s)]) == 1


def _subscriptions(asked: list[str]) -> list[str]:
    return [each for each in asked if each[0] in "+-"]


def _words(heeding: Heeding, shard: int = 0) -> list[str]:
    heeding.take()
    told = (each for each in heeding.heard if isinstance(each, HeardWords))
    return [each.words for each in told if each.shard == shard]


def _fills(heeding: Heeding) -> list[int]:
    heeding.take()
    orders = (each for each in heeding.heard if isinstance(each, HeardOrders))
    return [report.filled_quantity for each in orders for report in each.news.orders]
