"""A fill from outside, split over the books that it closes."""

import uuid
from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from brokers.terms import Side
from portfolio.fills import FillPart
from portfolio.splitting import PAISA, OpenBook, split_amount, split_over_books
from tests.builders import NOW

books = st.lists(
    st.builds(
        OpenBook,
        user_strategy_id=st.uuids(),
        quantity=st.integers(-500, 500).filter(bool),
        opened_at=st.integers(0, 3).map(lambda minute: NOW + timedelta(minutes=minute)),
        position_id=st.uuids(),
    ),
    max_size=6,
    unique_by=(lambda each: each.user_strategy_id, lambda each: each.position_id),
)
sides = st.sampled_from(Side)
quantities = st.integers(1, 2000)


def book(quantity: int, *, minute: int = 0, number: int = 1) -> OpenBook:
    key = uuid.UUID(int=number)
    return OpenBook(key, quantity, NOW + timedelta(minutes=minute), key)


def taken(parts: tuple[FillPart, ...]) -> dict[int | None, int]:
    names = {part.user_strategy_id: part.quantity for part in parts}
    return {key.int if key else None: quantity for key, quantity in names.items()}


class TestAFillFromOutside:
    def test_closes_nothing_on_its_own_side(self) -> None:
        assert taken(split_over_books(Side.BUY, 5, [book(10)])) == {None: 5}

    def test_closes_no_more_than_a_strategy_holds(self) -> None:
        assert taken(split_over_books(Side.SELL, 15, [book(10)])) == {1: 10, None: 5}

    def test_closes_the_longest_open_first(self) -> None:
        held = [book(10, minute=2, number=1), book(10, minute=1, number=2)]
        assert taken(split_over_books(Side.SELL, 12, held)) == {2: 10, 1: 2}

    def test_closes_by_number_what_was_opened_at_one_moment(self) -> None:
        held = [book(10, number=2), book(10, number=1)]
        assert taken(split_over_books(Side.SELL, 12, held)) == {1: 10, 2: 2}

    def test_closes_short_positions_by_a_purchase(self) -> None:
        held = [book(-3, number=1), book(8, number=2)]
        assert taken(split_over_books(Side.BUY, 5, held)) == {1: 3, None: 2}

    @given(sides, quantities, books)
    def test_loses_and_adds_nothing(self, side: Side, quantity: int, held: list[OpenBook]) -> None:
        parts = split_over_books(side, quantity, held)
        assert sum(part.quantity for part in parts) == quantity
        assert all(part.quantity > 0 for part in parts)
        assert len({part.user_strategy_id for part in parts}) == len(parts)

    @given(sides, quantities, books)
    def test_turns_no_book_round_and_enlarges_none(
        self, side: Side, quantity: int, held: list[OpenBook]
    ) -> None:
        parts = {
            part.user_strategy_id: part.quantity for part in split_over_books(side, quantity, held)
        }
        for each in held:
            after = each.quantity + side.sign * parts.get(each.user_strategy_id, 0)
            assert after * each.quantity >= 0
            assert abs(after) <= abs(each.quantity)

    @given(sides, quantities, books, st.randoms())
    def test_does_not_depend_on_the_order_of_the_books(
        self, side: Side, quantity: int, held: list[OpenBook], random: Random
    ) -> None:
        shuffled = list(held)
        random.shuffle(shuffled)
        assert split_over_books(side, quantity, shuffled) == split_over_books(side, quantity, held)

    @given(sides, quantities, books)
    def test_leaves_nothing_over_while_a_strategy_holds_some(
        self, side: Side, quantity: int, held: list[OpenBook]
    ) -> None:
        closable = sum(abs(each.quantity) for each in held if each.quantity * side.sign < 0)
        own = taken(split_over_books(side, quantity, held)).get(None, 0)
        assert own == max(quantity - closable, 0)


class TestCharges:
    @given(
        st.integers(0, 10_000_000).map(lambda paise: Decimal(paise) / 100),
        st.lists(quantities, min_size=1, max_size=6),
    )
    def test_are_shared_to_the_paisa_and_add_up(self, amount: Decimal, shares: list[int]) -> None:
        parts = split_amount(amount, shares)
        assert sum(parts) == amount
        assert all(part == part.quantize(PAISA) and part >= 0 for part in parts)
        exact = [amount * share / sum(shares) for share in shares]
        assert all(abs(part - due) <= PAISA for part, due in zip(parts, exact, strict=True))

    def test_of_one_part_are_all_of_them(self) -> None:
        assert split_amount(Decimal("0.12345"), [7]) == (Decimal("0.12345"),)
