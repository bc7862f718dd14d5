"""A running portal for tests: a small clinic open all day, every day, and people who can sign in."""

import os
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from urllib.error import URLError

import bcrypt
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.components.v2 import manifest_scanner

from core import clock, ledger, passwords, sign_ins, tills
from core.access import Actor
from db.models import Doctor, Heartbeat, Patient, PaymentMethod, Role, Service, User, doctor_specialties
from db.models.people import Specialty
from db.session import unit_of_work
from jobs.table import JOBS
from tests import log_watch, make, prepared
from tests.test_launch import free_port

ROOT = Path(__file__).parent.parent
PASSWORD = log_watch.PASSWORD
FEWEST_ROUNDS = 4  # that bcrypt knows
SID, BID = "__Host-sid", "__Host-bid"  # the cookies of a session, and of a browser
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # a Monday
NEVER_LOGGED = ("Traceback", "Reference", "Ada", "Okafor", PASSWORD, "?to=", "upload_file", "__Host-")

Cookies = dict[str, str]


@dataclass(frozen=True)
class Residents:
    """The rows that tests ask for by number."""

    ada_id: int
    ben_id: int
    roth_id: int
    weiss_id: int
    checkup_id: int
    cardiology_id: int


def settle_in(session: Session) -> Residents:
    """Two doctors who work every hour of every day, two patients, a receptionist and an admin."""
    make.clinic(
        session,
        name="Linden Clinic",
        phone="+493012345678",
        minimum_notice_minutes=0,
        requires_second_factor=False,
    )
    checkup = make.service(session, name="Check-up")
    roth = make.doctor(session, offers=[checkup], hours="00:00-23:30", on=make.EVERY_DAY, name="Dr. Eva Roth")
    weiss = make.doctor(
        session, offers=[checkup], hours="00:00-23:30", on=make.EVERY_DAY, name="Dr. Jonas Weiß"
    )
    specialties = [Specialty(name=name) for name in ("Cardiology", "Dermatology")]
    session.add_all(specialties)
    session.flush()
    for doctor, specialty in zip((roth, weiss), specialties, strict=True):
        session.execute(doctor_specialties.insert().values(doctor_id=doctor.id, specialty_id=specialty.id))
    roth.languages, weiss.languages = ["de", "en"], ["de", "vi"]
    secret = password_hash()
    for doctor, username in ((roth, "roth"), (weiss, "weiss")):
        doctor.user.username, doctor.user.password_hash, doctor.user.locale = username, secret, "en_GB"
    patients = []
    for username, name in (("ada", "Ada Okafor"), ("ben", "Ben Sato")):
        account = _account(session, username, Role.PATIENT, name, secret)
        patients.append(make.patient(session, name=name, user_id=account.id))
    _account(session, "rita", Role.STAFF, "Rita Empfang", secret)
    _account(session, "albert", Role.ADMIN, "Albert Admin", secret)
    session.flush()
    return Residents(patients[0].id, patients[1].id, roth.id, weiss.id, checkup.id, specialties[0].id)


@cache
def password_hash() -> str:
    """The hash of everybody's password, of the fewest rounds: it is checked often."""
    return bcrypt.hashpw(passwords.digest(PASSWORD), bcrypt.gensalt(FEWEST_ROUNDS)).decode()


def _account(session: Session, username: str, role: Role, name: str, secret: str) -> User:
    return make.user(session, role, username=username, name=name, password_hash=secret, locale="en_GB")


def signed_in(engine: Engine, username: str) -> Cookies:
    """The cookie of a new session of somebody's."""
    with unit_of_work(engine) as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        return {SID: sign_ins.start(session, user_id=user.id)}


def paid_in_cash(engine: Engine, residents: Residents, amount_minor: int = 6000) -> int:
    """Ada has paid for a visit, or a part of it, at the desk; the number of the receipt's entry."""
    with unit_of_work(engine) as session:
        rita = session.scalars(select(User).where(User.username == "rita")).one()
        visit = make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            clock.now() + timedelta(days=5),
            patient=session.get_one(Patient, residents.ada_id),
        )
        desk = Actor(rita.id, Role.STAFF, rita.name)
        method = PaymentMethod.CASH
        tills.take(session, desk, appointment_id=visit.id, method=method, amount_minor=amount_minor)
        return ledger.entries(session, [visit.id])[-1].id


@contextmanager
def running(
    engine: Engine,
    log: Path,
    server: str = "server.py",
    *,
    port: int | None = None,
    options: Sequence[str] = (),
    **variables: str,
) -> Iterator[str]:
    """The portal as its users reach it, on a free port unless told; what it logs is written to `log`.

    `variables` are of its environment; `{port}` in them is its port.
    """
    _let_jobs_seem_to_run(engine)
    port = port or free_port()
    environment = os.environ | {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "PUBLIC_URL": f"http://localhost:{port}",
    }
    environment |= {name: value.format(port=port) for name, value in variables.items()}
    places = ["--server.port", str(port), "--server.address", "localhost", "--server.headless", "true"]
    try:
        with prepared.running(
            "streamlit", "run", server, *places, *options, environment=environment, log=log
        ) as web:
            _wait_until_healthy(web, f"http://localhost:{port}/healthz", log)
            yield f"http://localhost:{port}"
    finally:
        log_watch.look_at_file(log)


def _let_jobs_seem_to_run(engine: Engine) -> None:
    """Most tests run a portal alone: let none of its jobs be overdue, however long they take."""
    with unit_of_work(engine) as session:
        known = set(session.scalars(select(Heartbeat.name)))
        session.add_all(
            Heartbeat(name=job.name, next_at=clock.now(), succeeded_at=datetime(2100, 1, 1, tzinfo=UTC))
            for job in JOBS
            if job.name not in known
        )


def require_quiet(log: Path, unwanted: Sequence[str] = ()) -> None:
    """Fail when a portal's log tells of an error, of a person, or of something in `unwanted`."""
    said = log.read_text()
    for each in (*NEVER_LOGGED, *unwanted):
        assert each not in said, said


def without_browser(patch: pytest.MonkeyPatch) -> None:
    """AppTest has no browser: it answers for cookies and address with mocks, which no row can hold."""
    patch.setattr("streamlit.runtime.context.ContextProxy.cookies", {})
    patch.setattr("streamlit.runtime.context.ContextProxy.ip_address", None)
    patch.setattr(manifest_scanner, "scan_component_manifests", _installed_components)


@cache
def _installed_components(_scan: Any = manifest_scanner.scan_component_manifests) -> Any:
    """What Streamlit finds in the packages here, read once and not for each AppTest anew."""
    return _scan()


def _wait_until_healthy(web: BaseProcess, address: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert web.is_alive(), log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own portal
                assert answer.status == 200
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
