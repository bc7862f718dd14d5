"""The jobs process is killed with -9 between intent, call and outcome: one session, one refund.

How it dies is in `tests.deaths`; it does so in the modules that speak with the processor and in the one that
begins and ends transactions. After how many words goes up until it comes through alive. After each
death another process finds what is left, and goes on; where an earlier death has left just the same, as it
does anywhere within one transaction, that was gone on from already.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

import core
from core import checkouts, processor_events, repayments
from core.stripe_cards import StripeCards
from db import session as session_module
from db.models import AppointmentStatus, PaymentState, RefundState
from tests import deaths
from tests.money import MINUTE, TABLES, Scene, scene
from tests.payment_sandbox import KEY, PaymentSandbox

pytestmark = pytest.mark.long
TALKERS = ("checkouts", "repayments", "processor_events", "stripe_cards")
SPEAKING = {
    *(f"{Path(core.__file__).parent / name}.py" for name in TALKERS),
    session_module.__file__,
}
MOST_WORDS = 200
MADE_BY_CHANCE = re.compile(
    r"\b(?:cs_|pi_|ch_|re_|evt_|fid)\w+|\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b"
)
Work = Callable[[StripeCards], object]


@pytest.fixture
def clinic(database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene(database, sandbox, monkeypatch, refund_percent=50) as made:
        yield made


def left_behind(clinic: Scene, names: dict[str, str]) -> str:
    """All that a process may have changed, in our database and at Stripe, as one text.

    `names` are those that chance has made, by the order in which they were met: so the text is the same
    whenever the same has happened.
    """
    with clinic.database.connect() as connection:
        rows = [
            str(row)
            for table in TABLES
            for row in connection.execute(
                text(f"SELECT to_jsonb(t) - 'created_at' FROM {table} t ORDER BY t::text")
            ).scalars()
        ]
    asked = [f"{call['method']} {call['path']}" for call in clinic.sandbox.calls(method="POST")]
    return MADE_BY_CHANCE.sub(
        lambda found: names.setdefault(found[0], f"#{len(names)}"), "\n".join(rows + asked)
    )


def cards_of(clinic: Scene) -> StripeCards:
    """The processor, as another process reaches it."""
    return StripeCards(KEY, clinic.sandbox.url, retries=0)


def after_every_word(
    clinic: Scene, before: Callable[[], int], work: Work, settle: Callable[[], None] | None = None
) -> Iterator[int]:
    """Let `work` die after each word; for each state that leaves, once settled, the visit of `before`."""
    seen: set[str] = set()
    start, names, visit_id = "", dict[str, str](), 0
    for words in range(MOST_WORDS):
        if not start:
            clinic.anew()
            visit_id, names = before(), {}
            start = left_behind(clinic, names)
        has_died = deaths.dies_after(words, lambda: work(cards_of(clinic)), SPEAKING)
        left = left_behind(clinic, names)
        is_news = left not in seen or not has_died
        if is_news:
            seen.add(left)
            (settle or clinic.settle)()
            yield visit_id
        if is_news or left != start:
            start = ""
        if not has_died:
            assert words > 5, "the words were not counted"
            assert len(seen) > 2, "what was left was not looked at"
            return
    pytest.fail(f"still dying after {MOST_WORDS} words")


def test_one_session_is_opened(clinic: Scene) -> None:
    for visit_id in after_every_word(clinic, clinic.book, checkouts_due(clinic)):
        sessions = clinic.sandbox.stripe_client().v1.checkout.sessions.list().data
        assert [each.id for each in sessions] == [clinic.payment(visit_id).provider_session_id]
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING


def checkouts_due(clinic: Scene) -> Work:
    """The job, a minute later, when nobody's page has opened the attempt."""

    def work(cards: StripeCards) -> int:
        clinic.now += MINUTE
        return checkouts.advance_due(cards)

    return work


def test_a_payment_is_entered_once(clinic: Scene) -> None:
    def before() -> int:
        visit_id = clinic.book()
        clinic.sandbox.pay(clinic.opened(visit_id))
        return visit_id

    for visit_id in after_every_word(clinic, before, checkouts_due(clinic)):
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED
        assert clinic.sums(visit_id) == (6000, 6000, 0)


def test_an_event_is_applied_once(clinic: Scene) -> None:
    def before() -> int:
        visit_id = clinic.book()
        clinic.sandbox.pay(clinic.opened(visit_id))
        return visit_id

    def work(cards: StripeCards) -> None:
        processor_events.read_new(cards)
        processor_events.apply_waiting(cards)

    for visit_id in after_every_word(clinic, before, work):
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED
        assert clinic.sums(visit_id) == (6000, 6000, 0)


def test_a_session_is_ended_before_its_hold_and_both_end(clinic: Scene) -> None:
    def before() -> int:
        visit_id = clinic.book()
        clinic.opened(visit_id)
        clinic.tick(41 * MINUTE)
        return visit_id

    for visit_id in after_every_word(clinic, before, checkouts_due(clinic)):
        assert clinic.payment(visit_id).state is PaymentState.ENDED
        assert clinic.visit(visit_id).status is AppointmentStatus.EXPIRED


def test_one_refund_is_made(clinic: Scene) -> None:
    def before() -> int:
        visit_id = clinic.paid()
        clinic.cancel(clinic.cast.ada, visit_id)
        return visit_id

    def settle() -> None:
        """Without the events, by which another refund's number would be learnt as well."""
        for _turn in range(3):
            clinic.tick()
            repayments.settle_due(clinic.cards)

    for visit_id in after_every_word(clinic, before, repayments.settle_due, settle):
        made = clinic.sandbox.stripe_client().v1.refunds.list().data
        [refund] = clinic.refunds(visit_id)
        assert [(each.id, each.amount) for each in made] == [(refund.provider_refund_id, 3000)]
        assert refund.state is RefundState.DONE
        assert clinic.sums(visit_id) == (3000, 6000, 3000)
