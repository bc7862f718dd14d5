"""What a change would leave without hours, doctor or room: said before it is saved, and never more."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, agendas, slot_previews, strandings
from core.access import Action, Actor
from core.errors import AccessDenied, ClinicError
from core.i18n import N_, _, ngettext
from core.slot_previews import Preview, Wanted
from core.strandings import kinds
from db.models import Appointment

HOURS = "hours"


class LeavesVisits(ClinicError):
    """Visits would be left over that the person does not know of; `causes` are theirs, by visit."""

    message = N_("Visits would be left without hours.")

    def __init__(self, causes: Mapping[int, tuple[str, ...]]) -> None:
        super().__init__()
        self.visit_ids = sorted(causes)
        found = {kind for each in causes.values() for kind in kinds(each)}
        self.lacking = found.pop() if len(found) == 1 else HOURS

    def __str__(self) -> str:
        told = _("Nothing was saved: this would leave {visits} that you have not seen yet.")
        return told.format(visits=visits_without(self.lacking, len(self.visit_ids)))


def visits_without(lacking: str, count: int) -> str:
    """So many visits, and what they are left without: in words, for a kind of cause."""
    if lacking == "doctor":
        told = ngettext("{count} visit without its doctor", "{count} visits without their doctor", count)
    elif lacking == "service":
        told = ngettext(
            "{count} visit for what is not offered any more",
            "{count} visits for what is not offered any more",
            count,
        )
    elif lacking == "room":
        told = ngettext("{count} visit without a room", "{count} visits without a room", count)
    else:
        told = ngettext("{count} visit without hours", "{count} visits without hours", count)
    return told.format(count=count)


class Foreseen(NamedTuple):
    """The visits that a change would leave over, or why it cannot be made at all.

    `preview` is what could be booked then, where that was asked for; `lacking` the kind of cause that all
    have in common, or that of hours.
    """

    visits: list[Appointment]
    refusal: str = ""
    preview: Preview | None = None
    lacking: str = HOURS


@contextmanager
def accounted(
    session: Session, *, doctor_id: int | None = None, accepting: Collection[int] = ()
) -> Iterator[None]:
    """Make a change; raise `LeavesVisits` where it strands visits that are not in `accepting`."""
    before = strandings.find(session, doctor_id=doctor_id)
    yield
    after = strandings.find(session, doctor_id=doctor_id)
    if left := set(after) - set(before) - set(accepting):
        raise LeavesVisits({number: after[number] for number in left})


def foreseen(
    session: Session,
    actor: Actor,
    change: Callable[..., object],
    *,
    previewing: Wanted | None = None,
    **arguments: Any,
) -> Foreseen:
    """What `change`, called with these arguments, would come to. It is made and taken back again.

    Raises `AccessDenied`, also where the change is not the actor's to make.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=arguments.get("doctor_id"))
    visit_ids: list[int] = []
    preview, lacking = None, HOURS
    for _turn in range(2):  # a second time with what the first one found, for the preview
        nested = session.begin_nested()
        try:
            change(session, actor, **arguments, accepting=visit_ids)
            if previewing is not None:
                preview = slot_previews.week(session, actor, wanted=previewing)
            break
        except LeavesVisits as left:
            visit_ids, lacking = left.visit_ids, left.lacking
            if previewing is None:
                break
        except AccessDenied:
            raise
        except ClinicError as refusal:
            return Foreseen([], str(refusal))
        finally:
            nested.rollback()
            session.info.pop("clinic_settings", None)
    return Foreseen(_visits(session, visit_ids), preview=preview, lacking=lacking)


def _visits(session: Session, visit_ids: list[int]) -> list[Appointment]:
    query = select(Appointment).where(Appointment.id.in_(visit_ids)).options(*agendas.WITH_PEOPLE)
    return list(session.scalars(query.order_by(Appointment.starts_at, Appointment.id)))
