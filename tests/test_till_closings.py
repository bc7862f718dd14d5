"""Closing a till: what one person took and gave since the last time, against what was counted."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core import payouts, till_closings, tills
from core.access import Action, Actor
from core.appointment_errors import FormAlreadySent
from core.errors import AccessDenied
from core.till_closings import CountImpossible, CountMissing, DifferenceUnexplained, LeavesTooMuch
from db.models import AuditEntry, Payment, PaymentMethod, TillClosing
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

CASH, TERMINAL = PaymentMethod.CASH, PaymentMethod.TERMINAL


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def take(session: Session, cast: Cast, actor: Actor, amount_minor: int, method: PaymentMethod) -> Payment:
    """Money for a visit of its own."""
    at = on(3, 10) + timedelta(hours=next(HOURS))
    price = max(10_000, amount_minor)
    visit = make.appointment(session, cast.dr_roth, cast.checkup, at, price_minor=price)
    return tills.take(session, actor, appointment_id=visit.id, method=method, amount_minor=amount_minor)


HOURS = iter(range(100_000))


def close(session: Session, actor: Actor, counted_minor: int, **changes: object) -> TillClosing:
    wanted = {"counted_minor": counted_minor, "terminal_counted_minor": 0, "left_minor": 0} | changes
    return till_closings.close(session, actor, **wanted)


def test_what_should_be_there_is_what_was_left_and_taken_less_what_was_given(
    session: Session, cast: Cast
) -> None:
    take(session, cast, cast.desk, 5000, CASH)
    close(session, cast.desk, 5000, left_minor=2000)
    paid = take(session, cast, cast.desk, 3000, CASH)
    take(session, cast, cast.desk, 4000, TERMINAL)
    payouts.pay_back(session, cast.desk, payment_id=paid.id, amount_minor=500, reason="Too much")
    till = till_closings.open_till(session, cast.desk)
    assert (till.since, till.opening_minor) == (NOW, 2000)
    assert (till.taken(CASH), till.given(CASH), till.expected_minor) == (3000, 500, 4500)
    assert (till.taken(TERMINAL), till.given(TERMINAL), till.terminal_minor) == (4000, 0, 4000)
    assert len(till.entries) == 3


def test_a_day_of_small_money_can_be_closed(session: Session, cast: Cast) -> None:
    """Twenty-two visits of a million rupiah, which have two decimals, are more than a column of 32 bits."""
    for _visit in range(22):
        take(session, cast, cast.desk, 99_999_999, CASH)
    closing = close(session, cast.desk, 22 * 99_999_999, left_minor=22 * 99_999_999)
    assert closing.expected_minor == closing.counted_minor > 2**31


def test_only_one_s_own_entries_since_the_last_closing_are_in_a_till(session: Session, cast: Cast) -> None:
    take(session, cast, cast.desk, 5000, CASH)
    take(session, cast, cast.admin, 700, CASH)
    closed = close(session, cast.desk, 5000)
    assert (closed.expected_minor, closed.opening_minor) == (5000, 0)
    assert till_closings.open_till(session, cast.desk).entries == []
    assert till_closings.open_till(session, cast.admin).expected_minor == 700
    again = close(session, cast.desk, 0)
    assert (again.expected_minor, again.up_to_entry_id) == (0, closed.up_to_entry_id)


@pytest.mark.parametrize(("cash", "terminal"), [(4999, 4000), (5001, 4000), (5000, 3999)])
def test_a_difference_needs_a_note(session: Session, cast: Cast, cash: int, terminal: int) -> None:
    take(session, cast, cast.desk, 5000, CASH)
    take(session, cast, cast.desk, 4000, TERMINAL)
    with pytest.raises(DifferenceUnexplained) as refused:
        close(session, cast.desk, cash, terminal_counted_minor=terminal, note=" ")
    assert str(refused.value).startswith("The ledger says €50.00 in cash and €40.00 on the terminal.")
    closed = close(session, cast.desk, cash, terminal_counted_minor=terminal, note=" A coin fell down ")
    assert closed.note == "A coin fell down"
    assert (closed.expected_minor, closed.terminal_minor) == (5000, 4000)


@pytest.mark.parametrize(
    "counted", [{"counted_minor": -1}, {"counted_minor": 10**13}, {"terminal_counted_minor": -(10**13)}]
)
def test_what_cannot_be_counted_is_refused(session: Session, cast: Cast, counted: dict[str, int]) -> None:
    with pytest.raises(CountImpossible):
        close(session, cast.desk, **({"counted_minor": 0, "note": "why"} | counted))
    with pytest.raises(CountImpossible):
        close(session, cast.desk, 0, left_minor=-1)
    with pytest.raises(LeavesTooMuch):
        close(session, cast.desk, 0, left_minor=1)
    for field in ("counted_minor", "terminal_counted_minor", "left_minor"):
        with pytest.raises(CountMissing):
            close(session, cast.desk, **({"counted_minor": 0} | {field: None}))


def test_the_same_form_twice_closes_once(session: Session, cast: Cast) -> None:
    key = uuid4()
    first = close(session, cast.desk, 0, request_key=key)
    assert close(session, cast.desk, 0, request_key=key) is first
    with pytest.raises(FormAlreadySent):
        close(session, cast.admin, 0, request_key=key)


def test_a_closing_is_told_in_the_trail(session: Session, cast: Cast) -> None:
    closed = close(session, cast.desk, 0)
    [entry] = session.query(AuditEntry).all()
    assert (entry.action, entry.user_id, entry.object_id) == (
        Action.CLOSE_TILL,
        cast.desk.user_id,
        closed.id,
    )


def test_staff_see_their_own_closings_and_an_administrator_all_differences_first(
    session: Session, cast: Cast
) -> None:
    differing = close(session, cast.desk, 100, note="Found it on the floor")
    fitting = close(session, cast.admin, 0)
    later = close(session, cast.desk, 0)
    assert till_closings.closings(session, cast.desk) == [
        (differing, "Rita Empfang"),
        (later, "Rita Empfang"),
    ]
    assert till_closings.closings(session, cast.admin) == [
        (differing, "Rita Empfang"),
        (later, "Rita Empfang"),
        (fitting, "Albert Admin"),
    ]


@pytest.mark.parametrize("name", ["ada", "stranger", "roth"])
def test_nobody_else_has_a_till(session: Session, cast: Cast, name: str) -> None:
    actor: Actor = getattr(cast, name)
    for service in (till_closings.open_till, till_closings.closings):
        with pytest.raises(AccessDenied):
            service(session, actor)
    with pytest.raises(AccessDenied):
        close(session, actor, 0)
