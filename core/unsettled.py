"""What a change of hours would leave without hours: said before it is saved, and never more than was said."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, agendas, slot_previews, strandings
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_, ngettext
from core.slot_previews import Preview, Wanted
from db.models import Appointment


class LeavesVisits(ClinicError):
    """Visits would be without hours that the person does not know of."""

    message = N_("Visits would be left without hours.")

    def __init__(self, visit_ids: Collection[int]) -> None:
        super().__init__()
        self.visit_ids = sorted(visit_ids)

    def __str__(self) -> str:
        told = ngettext(
            "Nothing was saved: this would leave {count} visit without hours that you have not seen yet.",
            "Nothing was saved: this would leave {count} visits without hours that you have not seen yet.",
            len(self.visit_ids),
        )
        return told.format(count=len(self.visit_ids))


class Foreseen(NamedTuple):
    """The visits that a change would leave without hours, or why it cannot be made at all.

    `preview` is what could be booked then, where that was asked for.
    """

    visits: list[Appointment]
    refusal: str = ""
    preview: Preview | None = None


@contextmanager
def accounted(
    session: Session, *, doctor_id: int | None = None, accepting: Collection[int] = ()
) -> Iterator[None]:
    """Make a change of hours; raise `LeavesVisits` where it strands visits that are not in `accepting`."""
    before = strandings.find(session, doctor_id=doctor_id)
    yield
    after = strandings.find(session, doctor_id=doctor_id)
    if left := set(after) - set(before) - set(accepting):
        raise LeavesVisits(left)


def foreseen(
    session: Session,
    actor: Actor,
    change: Callable[..., object],
    *,
    wanted: Wanted | None = None,
    **arguments: Any,
) -> Foreseen:
    """What `change`, called with these arguments, would come to. It is made and taken back again."""
    access.require(actor, Action.SET_HOURS, doctor_id=arguments.get("doctor_id"))
    visit_ids: list[int] = []
    preview = None
    for _turn in range(2):  # a second time with what the first one found, for the preview
        nested = session.begin_nested()
        try:
            change(session, actor, **arguments, accepting=visit_ids)
            if wanted is not None:
                preview = slot_previews.week(session, actor, wanted=wanted)
            break
        except LeavesVisits as left:
            visit_ids = left.visit_ids
            if wanted is None:
                break
        except ClinicError as refusal:
            return Foreseen([], str(refusal))
        finally:
            nested.rollback()
    return Foreseen(_visits(session, visit_ids), preview=preview)


def _visits(session: Session, visit_ids: list[int]) -> list[Appointment]:
    query = select(Appointment).where(Appointment.id.in_(visit_ids)).options(*agendas.WITH_PEOPLE)
    return list(session.scalars(query.order_by(Appointment.starts_at, Appointment.id)))
