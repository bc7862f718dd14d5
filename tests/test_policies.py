"""Policies that administrators set: they count at once, stay within bounds, and are in the trail."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import grants, policies, sign_ins
from core.access import Actor
from core.errors import AccessDenied, ClinicError
from core.policies import IdleOutOfBounds, RetentionOutOfBounds
from db.models import AuditEntry, ClinicSettings, Doctor, EmergencyAccess, Role, User
from db.session import unit_of_work
from tests import make, portal
from tests.app_pages import opened
from tests.cast import NOW, assemble, time_is
from tests.test_pages import NOON, said

WANTED: dict[str, Any] = {
    "staff_idle_minutes": 5,
    "patient_idle_minutes": 30,
    "requires_second_factor": False,
    "record_retention_years": 15,
}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


def test_what_is_set_counts_from_the_next_click_and_is_in_the_trail(session: Session) -> None:
    cast = assemble(session)
    token = sign_ins.start(session, user_id=cast.desk.user_id)
    policies.change(session, cast.admin, **WANTED)
    kept = session.get_one(ClinicSettings, 1, populate_existing=True)
    assert {name: getattr(kept, name) for name in WANTED} == WANTED
    with time_is(NOW + timedelta(minutes=5)):
        assert sign_ins.current_actor(session, token) is None
    desk = session.get_one(User, cast.desk.user_id)
    grants.offer(session, desk, browser="hers")
    assert grants.waiting(session, browser="hers") is None, "no second factor is asked for any more"
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "change the settings")).one()
    assert (entry.user_id, entry.detail) == (cast.admin.user_id, WANTED)


def test_the_same_again_leaves_no_entry(session: Session) -> None:
    cast = assemble(session)
    for _ in range(2):
        policies.change(session, cast.admin, **WANTED)
    assert len(session.scalars(select(AuditEntry)).all()) == 1


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"staff_idle_minutes": 0}, IdleOutOfBounds),
        ({"patient_idle_minutes": 721}, IdleOutOfBounds),
        ({"patient_idle_minutes": None}, IdleOutOfBounds),
        ({"record_retention_years": -1}, RetentionOutOfBounds),
        ({"record_retention_years": 101}, RetentionOutOfBounds),
    ],
)
def test_what_is_out_of_bounds_changes_nothing(
    session: Session, wrong: dict[str, Any], error: type[ClinicError]
) -> None:
    cast = assemble(session)
    with pytest.raises(error):
        policies.change(session, cast.admin, **WANTED | wrong)
    assert session.get_one(ClinicSettings, 1, populate_existing=True).staff_idle_minutes == 15
    assert session.scalars(select(AuditEntry)).all() == []


def test_only_administrators_set_policies(session: Session) -> None:
    cast = assemble(session)
    others: list[Actor] = [cast.ada, cast.roth, cast.desk, cast.stranger]
    for actor in others:
        with pytest.raises(AccessDenied):
            policies.change(session, actor, **WANTED)


@pytest.fixture
def albert(database: Engine, noon_without_cookies: None) -> AppTest:
    """The page as the administrator sees it."""
    with unit_of_work(database) as session:
        portal.settle_in(session)
    return opened(database, "albert", "pages/admin/policies.py")


def test_the_page_saves_and_refuses(albert: AppTest, database: Engine) -> None:
    albert.number_input(key="policies_staff_idle_minutes").set_value(20)
    albert.checkbox(key="policies_requires_second_factor").check()
    albert.button[-1].click().run()
    assert said(albert.success) == ["Saved."]
    with Session(database) as session:
        kept = session.get_one(ClinicSettings, 1)
        assert (kept.staff_idle_minutes, kept.requires_second_factor) == (20, True)
    albert.session_state["policies_staff_idle_minutes"] = 5000  # past the field's own bounds
    with unit_of_work(database) as session:
        session.scalars(select(User).where(User.username == "albert")).one().role = Role.STAFF
    albert.run()
    assert not albert.exception
    assert [title.value for title in albert.title] != ["Policies"], "no page of an administrator's any more"


def test_an_emergency_waits_on_every_page_of_an_administrator(albert: AppTest, database: Engine) -> None:
    flag = "1 emergency access to review"
    assert flag not in [link.proto.label for link in albert.get("page_link")]
    with unit_of_work(database) as session:
        doctor = session.scalars(select(Doctor)).first()
        assert doctor is not None
        opened = EmergencyAccess(
            doctor_id=doctor.id,
            patient_id=make.patient(session).id,
            reason="Found unconscious",
            opened_at=NOON,
            expires_at=NOON + timedelta(hours=2),
        )
        session.add(opened)
    albert.run()
    assert flag in [link.proto.label for link in albert.get("page_link")]
