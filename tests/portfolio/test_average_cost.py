from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from brokers.terms import Side
from portfolio.booking import Book, Execution, apply_fill, fold, share_of, split_at_flat

prices = st.integers(min_value=1, max_value=10_000_000).map(lambda ticks: Decimal(ticks) / 100)
quantities = st.integers(min_value=1, max_value=5_000)
executions = st.builds(Execution, side=st.sampled_from(Side), quantity=quantities, price=prices)
runs = st.lists(executions, max_size=30)


def buy(quantity: int, price: str) -> Execution:
    return Execution(side=Side.BUY, quantity=quantity, price=Decimal(price))


def sell(quantity: int, price: str) -> Execution:
    return Execution(side=Side.SELL, quantity=quantity, price=Decimal(price))


class TestFold:
    def test_averages_what_is_bought(self) -> None:
        book = fold([buy(10, "100"), buy(30, "104")])

        assert (book.quantity, book.open_cost) == (40, Decimal(4120))

    def test_realises_what_is_sold_above_its_cost(self) -> None:
        book = fold([buy(10, "100"), sell(4, "110")])

        assert (book.realized, book.open_cost) == (Decimal(40), Decimal(600))

    def test_realises_what_is_bought_back_below_its_price(self) -> None:
        book = fold([sell(10, "100"), buy(4, "90")])

        assert (book.realized, book.open_cost) == (Decimal(40), Decimal(-600))

    def test_rounds_the_cost_of_a_part_to_four_decimals(self) -> None:
        book = fold([buy(3, "33.33"), buy(4, "50"), sell(1, "60")])

        assert book.open_cost == Decimal("257.1343")

    def test_leaves_the_whole_rounding_to_the_last_part(self) -> None:
        book = fold([buy(3, "100.0001"), sell(1, "100"), sell(1, "100"), sell(1, "100")])

        assert (book.open_cost, book.realized) == (Decimal(0), Decimal("-0.0003"))

    def test_turns_long_into_short_at_the_price_of_the_fill(self) -> None:
        book = fold([buy(10, "100"), sell(15, "110")])

        assert (book.quantity, book.open_cost, book.realized) == (-5, Decimal(-550), Decimal(100))

    @given(runs)
    def test_never_loses_or_makes_money(self, run: list[Execution]) -> None:
        book = fold(run)

        assert book.realized - book.open_cost == book.cash_moved

    @given(runs)
    def test_counts_every_unit(self, run: list[Execution]) -> None:
        book = fold(run)

        assert book.quantity == sum(execution.signed_quantity for execution in run)
        assert book.quantity == book.buy_quantity - book.sell_quantity

    @given(runs)
    def test_costs_nothing_when_flat(self, run: list[Execution]) -> None:
        book = fold(run)
        closing = Execution(
            side=Side.SELL if book.quantity > 0 else Side.BUY,
            quantity=abs(book.quantity),
            price=Decimal("12.34"),
        )

        flat = apply_fill(book, closing) if book.quantity else book

        assert (flat.quantity, flat.open_cost) == (0, Decimal(0))
        assert flat.realized == flat.cash_moved

    @given(runs)
    def test_signs_the_cost_like_the_quantity(self, run: list[Execution]) -> None:
        book = fold(run)

        assert book.open_cost * book.quantity >= 0

    @given(st.lists(st.builds(buy, quantities, prices.map(str)), max_size=12), st.randoms())
    def test_does_not_mind_the_order_of_one_side(self, run: list[Execution], chance) -> None:
        shuffled = list(run)
        chance.shuffle(shuffled)

        assert fold(shuffled) == fold(run)

    @given(runs, st.data())
    def test_does_not_mind_a_fill_in_parts(self, run: list[Execution], data: st.DataObject) -> None:
        parts = [part for each in run for part in _in_parts(each, data)]

        whole, split = fold(run), fold(parts)

        assert split.quantity == whole.quantity
        assert split.cash_moved == whole.cash_moved
        assert split.realized - split.open_cost == whole.realized - whole.open_cost

    @given(runs)
    def test_gives_the_same_twice(self, run: list[Execution]) -> None:
        assert fold(run) == fold(list(run))


class TestSplitAtFlat:
    def test_leaves_a_fill_whole_that_only_closes(self) -> None:
        assert split_at_flat(Book(quantity=10), sell(10, "5")) == (sell(10, "5"),)

    def test_cuts_where_the_position_is_closed(self) -> None:
        parts = split_at_flat(Book(quantity=-10), buy(25, "5"))

        assert parts == (buy(10, "5"), buy(15, "5"))

    @given(runs, executions)
    def test_loses_no_unit(self, run: list[Execution], execution: Execution) -> None:
        parts = split_at_flat(fold(run), execution)

        assert sum(part.quantity for part in parts) == execution.quantity


class TestBook:
    def test_values_a_short_position_against_its_cost(self) -> None:
        assert fold([sell(10, "100")]).unrealized_at(Decimal("97.50")) == 25

    @given(runs, prices)
    def test_realises_at_a_price_what_it_would_show_there(
        self, run: list[Execution], price: Decimal
    ) -> None:
        book = fold(run)
        side = Side.SELL if book.quantity > 0 else Side.BUY
        closing = Execution(side=side, quantity=abs(book.quantity), price=price)

        closed = apply_fill(book, closing) if book.quantity else book

        assert closed.realized == book.realized + book.unrealized_at(price)


class TestShareOf:
    @given(prices, quantities, quantities)
    def test_is_the_whole_with_the_rest(self, amount: Decimal, part: int, rest: int) -> None:
        share = share_of(amount, part=part, whole=part + rest)

        assert Decimal(0) <= share <= amount

    def test_is_all_of_it_for_the_whole(self) -> None:
        assert share_of(Decimal("0.00007"), part=3, whole=3) == Decimal("0.00007")


def _in_parts(execution: Execution, data: st.DataObject) -> list[Execution]:
    cut = data.draw(st.integers(min_value=0, max_value=execution.quantity))
    return [
        Execution(side=execution.side, quantity=quantity, price=execution.price)
        for quantity in (cut, execution.quantity - cut)
        if quantity
    ]
