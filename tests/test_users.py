"""Accounts as an admin looks after them: found, changed, ended, and an admin always left."""

from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import grants, second_factors, sign_ins, users
from core.access import Actor
from core.audit import Event
from core.errors import AccessDenied, ClinicError, NotFound
from core.users import LastAdmin, NoPatientRecord, RoleUnknown
from db.models import AppointmentStatus, AuditEntry, Doctor, Role, User
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

CALLS: dict[str, Callable[[Session, Actor, int], Any]] = {
    "search": lambda session, actor, _id: users.search(session, actor),
    "role": lambda session, actor, id_: users.change_role(session, actor, user_id=id_, role=Role.STAFF),
    "deactivate": lambda session, actor, id_: users.deactivate(session, actor, user_id=id_),
    "activate": lambda session, actor, id_: users.activate(session, actor, user_id=id_),
    "end": lambda session, actor, id_: users.end_sessions(session, actor, user_id=id_),
    "factor": lambda session, actor, id_: users.reset_second_factor(session, actor, user_id=id_),
}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    return assemble(session)


def user(session: Session, actor: Actor) -> User:
    return session.get_one(User, actor.user_id, populate_existing=True)


def signed_in(session: Session, actor: Actor) -> str:
    token = sign_ins.start(session, user_id=actor.user_id)
    session.flush()
    return token


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("who", ["ada", "stranger", "roth", "desk"])
def test_nobody_but_an_admin_looks_after_accounts_not_even_their_own(
    session: Session, cast: Cast, call: Callable[..., Any], who: str
) -> None:
    actor = getattr(cast, who)
    for user_id in (actor.user_id, cast.ben.user_id):
        with pytest.raises(AccessDenied):
            call(session, actor, user_id)


@pytest.mark.parametrize("call", [each for name, each in CALLS.items() if name != "search"])
def test_a_number_that_is_nobodys_is_not_there(
    session: Session, cast: Cast, call: Callable[..., Any]
) -> None:
    with pytest.raises(NotFound):
        call(session, cast.admin, 999_999)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"text": "okaf"}, {"Ada Okafor"}),
        ({"text": "ADA ok"}, {"Ada Okafor"}),
        ({"text": "weiß"}, {"Dr. Jonas Weiß"}),
        ({"text": "ada.o@"}, {"Ada Okafor"}),
        ({"text": "%"}, set()),
        ({"text": "nobody"}, set()),
        ({"text": "\0"}, None),
        ({"role": Role.DOCTOR}, {"Dr. Eva Roth", "Dr. Jonas Weiß"}),
        ({"is_active": False}, {"Ben Sato"}),
        ({"role": Role.DOCTOR, "text": "okafor"}, set()),
    ],
)
def test_accounts_are_found_by_name_address_role_and_state(
    session: Session, cast: Cast, wanted: dict[str, Any], found: set[str] | None
) -> None:
    user(session, cast.ada).email = "ada.o@example.org"
    user(session, cast.ben).is_active = False
    session.flush()
    names = {each.name for each in users.search(session, cast.admin, **wanted)[0]}
    assert names == found if found is not None else len(names) == 8


def test_a_search_shows_twenty_at_most(session: Session, cast: Cast) -> None:
    for _ in range(30):
        make.user(session)
    first, has_more = users.search(session, cast.admin)
    second, _more = users.search(session, cast.admin, page=1)
    assert (len(first), has_more) == (users.SHOWN, True)
    assert second
    assert {each.id for each in first}.isdisjoint(each.id for each in second)


def test_a_new_role_counts_at_once_and_signs_out(session: Session, cast: Cast) -> None:
    token = signed_in(session, cast.desk)
    users.change_role(session, cast.admin, user_id=cast.desk.user_id, role=Role.ADMIN)
    assert user(session, cast.desk).role is Role.ADMIN
    assert sign_ins.current_actor(session, token) is None
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action != Event.SIGN_IN)).one()
    assert (entry.action, entry.user_id, entry.object_id, entry.detail) == (
        "change a role",
        cast.admin.user_id,
        cast.desk.user_id,
        {"before": "staff", "after": "admin"},
    )


def test_a_former_doctor_keeps_their_visits_and_is_booked_no_more(session: Session, cast: Cast) -> None:
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
    users.change_role(session, cast.admin, user_id=cast.roth.user_id, role=Role.STAFF, accepting=[visit.id])
    session.refresh(cast.dr_roth)
    session.refresh(visit)
    assert not cast.dr_roth.is_active
    assert (visit.status, visit.doctor_id) == (AppointmentStatus.CONFIRMED, cast.dr_roth.id)
    users.change_role(session, cast.admin, user_id=cast.roth.user_id, role=Role.DOCTOR)
    session.refresh(cast.dr_roth)
    assert cast.dr_roth.is_active


def test_a_new_doctor_gets_a_doctors_row(session: Session, cast: Cast) -> None:
    users.change_role(session, cast.admin, user_id=cast.desk.user_id, role=Role.DOCTOR)
    made = session.scalars(select(Doctor).where(Doctor.user_id == cast.desk.user_id)).one()
    assert made.is_active


@pytest.mark.parametrize("role", [None, "admin", "owner"])
def test_a_role_that_the_page_did_not_offer_is_refused(session: Session, cast: Cast, role: Any) -> None:
    with pytest.raises(RoleUnknown):
        users.change_role(session, cast.admin, user_id=cast.desk.user_id, role=role)


def test_only_a_patient_of_the_clinic_becomes_one(session: Session, cast: Cast) -> None:
    with pytest.raises(NoPatientRecord):
        users.change_role(session, cast.admin, user_id=cast.desk.user_id, role=Role.PATIENT)
    users.change_role(session, cast.admin, user_id=cast.ada.user_id, role=Role.STAFF)
    users.change_role(session, cast.admin, user_id=cast.ada.user_id, role=Role.PATIENT)
    assert user(session, cast.ada).role is Role.PATIENT


def test_a_deactivated_account_is_out_until_it_is_activated(session: Session, cast: Cast) -> None:
    token = signed_in(session, cast.roth)
    grants.grant(session, user_id=cast.roth.user_id, browser="just typed the password")
    users.deactivate(session, cast.admin, user_id=cast.roth.user_id)
    session.refresh(cast.dr_roth)
    assert sign_ins.current_actor(session, token) is None
    assert grants.redeem(session, browser="just typed the password") is None
    assert not cast.dr_roth.is_active
    users.activate(session, cast.admin, user_id=cast.roth.user_id)
    session.refresh(cast.dr_roth)
    assert cast.dr_roth.is_active
    assert sign_ins.current_actor(session, token) is None, "what has ended stays so"
    told = select(AuditEntry.action).where(AuditEntry.action != Event.SIGN_IN).order_by(AuditEntry.id)
    actions = session.scalars(told).all()
    assert actions == ["deactivate an account", "activate an account"]


def test_ending_sessions_signs_out_everywhere_and_nobody_else(session: Session, cast: Cast) -> None:
    tokens = [signed_in(session, cast.roth) for _ in range(2)]
    other = signed_in(session, cast.weiss)
    assert users.end_sessions(session, cast.admin, user_id=cast.roth.user_id) == 2
    assert [sign_ins.current_actor(session, token) for token in tokens] == [None, None]
    assert sign_ins.current_actor(session, other) is not None


def test_a_lost_second_factor_is_reset_and_its_owner_told(session: Session, cast: Cast) -> None:
    roth = user(session, cast.roth)
    roth.totp_secret, roth.totp_confirmed_at = "kept", NOW
    roth.email, roth.email_verified_at = "roth@example.org", NOW
    session.flush()
    users.reset_second_factor(session, cast.admin, user_id=roth.id)
    assert not second_factors.has(user(session, cast.roth))
    assert session.scalars(select(AuditEntry.action)).all() == ["turn the second factor off"]


@pytest.mark.parametrize("how", ["role", "deactivate"])
def test_the_last_admin_stays(session: Session, cast: Cast, how: str) -> None:
    asleep = make.user(session, Role.ADMIN, is_active=False)
    with pytest.raises(LastAdmin):
        CALLS[how](session, cast.admin, cast.admin.user_id)
    users.activate(session, cast.admin, user_id=asleep.id)
    CALLS[how](session, cast.admin, cast.admin.user_id)


def test_an_admin_no_more_undoes_nobody(session: Session, cast: Cast) -> None:
    former = Actor(make.user(session, Role.STAFF).id, Role.ADMIN, "was an admin when the click began")
    with pytest.raises(AccessDenied):
        users.deactivate(session, former, user_id=cast.admin.user_id)


@pytest.mark.parametrize("how", ["role", "deactivate"])
@pytest.mark.parametrize("admins", [2, 4])
def test_admins_who_undo_each_other_at_once_leave_one(database: Engine, how: str, admins: int) -> None:
    with unit_of_work(database) as session:
        make.clinic(session)
        ids = [make.user(session, Role.ADMIN).id for _ in range(admins)]
    actors = [Actor(user_id, Role.ADMIN, "Admin") for user_id in ids]
    gun, outcomes = Barrier(admins), []

    def undo(number: int) -> None:
        gun.wait()
        try:
            with unit_of_work(database) as session:
                CALLS[how](session, actors[number], ids[(number + 1) % admins])
            outcomes.append("done")
        except ClinicError as error:
            outcomes.append(type(error).__name__)

    threads = [Thread(target=undo, args=(number,)) for number in range(admins)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == admins
    with unit_of_work(database) as session:
        left = session.scalars(select(User.id).where(User.role == Role.ADMIN, User.is_active)).all()
    assert len(left) >= 1
    assert len(left) == admins - outcomes.count("done")
