"""What a patient takes along and what is erased: everything that is held, and nobody else's."""

import json
from collections.abc import Iterator
from datetime import date, time, timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import (
    appointments,
    audit,
    exports,
    ledger,
    notes,
    patients,
    privacy,
    records,
    refunds,
    sign_ins,
    trails,
)
from core.access import Action, Actor
from core.errors import AccessDenied, NotFound
from core.patients import ERASED_NAME
from core.privacy import DependantsRemain, NameDiffers, VisitsAhead, WorksHere
from db.base import Base
from db.models import (
    Appointment,
    AppointmentStatus,
    Attachment,
    AuditEntry,
    Channel,
    CodePurpose,
    InboundMessage,
    Invite,
    KeptVisit,
    LedgerEntry,
    Letter,
    Notification,
    OneTimeCode,
    Patient,
    Prescription,
    RecordItem,
    RecoveryCode,
    Refund,
    RefundCause,
    Role,
    SignIn,
    SignInGrant,
    SocialIdentity,
    StrandedVisit,
    User,
    WaitlistEntry,
    WaitlistOffer,
)
from tests import clinical, make
from tests.cast import NOW, Cast, assemble, on, patient_actor, time_is

WHY = "Found unconscious in the waiting room"
ADDRESS = "203.0.113.77"
EMAIL, PHONE, DESK_EMAIL = "ada.okafor@example.org", "+4915123456789", "ada.at.the.desk@example.org"
SECRETS = ("$2b$12$ada", "totp-secret", "totp-secret-step", "hidden-payload", "hidden-code")


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        made = assemble(session)
        _give_ada_everything(session, made)
        yield made


def _give_ada_everything(session: Session, cast: Cast) -> None:
    """A row of Ada's in every table that can hold one."""
    (ada_id,), user_id = cast.ada.patient_ids, cast.ada.user_id
    ada, account = session.get_one(Patient, ada_id), session.get_one(User, user_id)
    ada.phone, ada.email = PHONE, DESK_EMAIL
    make.known_of(session, ada)
    account.username, account.email, account.phone = "ada.okafor", EMAIL, PHONE
    account.password_hash, account.totp_secret, account.totp_last_step = SECRETS[0], SECRETS[1], 123
    account.sms_consent_at, account.sms_consent_source = NOW, "at the desk"
    session.flush()
    sign_ins.start(session, user_id=user_id, address=ADDRESS)
    session.add(SignInGrant(browser_hash=b"a browser", user_id=user_id, expires_at=NOW))
    at = {"created_at": NOW, "expires_at": NOW + timedelta(minutes=5)}
    code = {"code_hash": SECRETS[4].encode(), **at}
    session.add_all(
        [
            SocialIdentity(user_id=user_id, issuer="https://accounts.example", subject="1", shown_as=EMAIL),
            RecoveryCode(user_id=user_id, code_hash=SECRETS[4].encode()),
            OneTimeCode(purpose=CodePurpose.VERIFY_PHONE, user_id=user_id, sent_to=PHONE, **code),
            OneTimeCode(
                purpose=CodePurpose.REGISTER, sent_to=DESK_EMAIL, payload={"password": SECRETS[3]}, **code
            ),
            Invite(
                email=DESK_EMAIL, role=Role.STAFF, name="Ada Okafor", invited_by_id=cast.admin.user_id, **code
            ),
        ]
    )
    for to, body, is_secret in (
        (EMAIL, "Hello Ada", False),
        (EMAIL, SECRETS[4], True),
        ("x@y.example", "", False),
    ):
        session.add(
            Notification(
                channel=Channel.EMAIL,
                sent_to=to,
                body=body,
                is_secret=is_secret,
                send_after=NOW,
                created_at=NOW,
            )
        )
    clinical.add_file(session, ada_id, user_id)
    booked = appointments.book(
        session,
        cast.ada,
        patient_id=ada_id,
        doctor_id=cast.dr_roth.id,
        service_id=cast.checkup.id,
        starts_at=on(3, 10),
    )
    appointments.cancel(session, cast.ada, appointment_id=booked.id, reason="Ada Okafor is better")
    session.add(InboundMessage(provider_id="SM1", sender=PHONE, body="C", received_at=NOW))
    entry = WaitlistEntry(
        patient_id=ada_id,
        service_id=cast.checkup.id,
        doctor_id=cast.dr_roth.id,
        from_on=NOW.date(),
        until_on=NOW.date(),
        weekdays=[1],
        from_time=time(9),
        until_time=time(12),
        created_at=NOW,
    )
    session.add(entry)
    session.flush()
    over = {"state": "declined", "offered_at": NOW, "expires_at": NOW, "ended_at": NOW}
    session.add(WaitlistOffer(entry_id=entry.id, appointment_id=booked.id, **over))
    kept = {"time_version": 0, "causes": ["hours"], "kept_at": NOW}
    session.add(StrandedVisit(appointment_id=booked.id, time_version=0, causes=["hours"], noted_at=NOW))
    session.add(KeptVisit(appointment_id=booked.id, reason="Ada Okafor comes all the same", **kept))
    records.break_glass(session, cast.weiss, patient_id=ada_id, reason=WHY)


def treated(session: Session, cast: Cast, days_ago: int = 7) -> Appointment:
    """A visit of Ada's that is over."""
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    at = NOW - timedelta(days=days_ago)
    visit = make.appointment(session, cast.dr_roth, cast.checkup, at, patient=ada, status="completed")
    clinical.add_papers(session, visit, cast.roth.user_id)
    return visit


def packed(session: Session, actor: Actor, patient_id: int) -> ZipFile:
    file = BytesIO()
    privacy.export(session, actor, patient_id=patient_id).write(file)
    return ZipFile(file)


def exported(session: Session, cast: Cast) -> dict[str, list[dict[str, object]]]:
    with packed(session, cast.ada, cast.ada.patient_ids[0]) as archive:
        assert archive.namelist() == ["data.json", "summary.pdf"]
        assert archive.read("summary.pdf").startswith(b"%PDF-")
        found: dict[str, list[dict[str, object]]] = json.loads(archive.read("data.json"))
        return found


def everything_held(session: Session) -> str:
    """Every row of every table, as text."""
    session.flush()
    return "\n".join(
        str(row)
        for table in Base.metadata.tables
        if not table.startswith("audit_")
        for row in session.execute(text(f"SELECT t::text FROM {table} t")).scalars()
    )


def test_every_table_that_leads_to_a_person_is_exported_or_has_a_reason_not_to_be() -> None:
    leading = {"users", "patients", "appointments"}
    for _round in range(2):
        leading |= {
            table.name
            for table in Base.metadata.tables.values()
            for key in table.foreign_keys
            if key.column.table.name in {"users", "patients", "appointments"}
        }
    known = set(exports.EXPORTED) | set(exports.NOT_EXPORTED)
    assert leading - known == set()
    assert known <= set(Base.metadata.tables)
    assert not set(exports.EXPORTED) & set(exports.NOT_EXPORTED)
    assert all(reason for reason in exports.NOT_EXPORTED.values())


def pays(session: Session, cast: Cast, visit: Appointment) -> Refund:
    """Ada pays for a visit in cash, and all of it is to go back."""
    paid = make.payment(session, visit, 6000, method="cash", state="paid", taken_by_id=cast.desk.user_id)
    ledger.receive(session, cast.desk, visit, paid)
    return refunds.ask(
        session, cast.desk, paid, 6000, cause=RefundCause.BY_HAND, reason="Ada was kept waiting"
    )


def test_the_export_has_something_of_every_table_and_no_secret(session: Session, cast: Cast) -> None:
    pays(session, cast, treated(session, cast))
    found = exported(session, cast)
    assert set(found) == set(exports.EXPORTED.values())
    assert [name for name, rows in found.items() if not rows] == []
    said = json.dumps(found)
    assert [secret for secret in SECRETS if secret in said] == []
    assert {"Penicillin", "rash", "Migraine", PHONE, DESK_EMAIL, EMAIL, ADDRESS, WHY, "Hello Ada"} <= _values(
        found
    )
    assert {visit["doctor"] for visit in found["visits"]} == {"Dr. Eva Roth"}


def _values(found: dict[str, list[dict[str, object]]]) -> set[object]:
    return {
        value
        for rows in found.values()
        for row in rows
        for value in row.values()
        if not isinstance(value, dict | list)
    }


def test_the_export_holds_nothing_of_anybody_else(session: Session, cast: Cast) -> None:
    ben = session.get_one(Patient, cast.ben.patient_ids[0])
    make.record_item(session, ben, "Something of Ben's")
    make.appointment(session, cast.dr_roth, cast.checkup, on(4, 10), patient=ben)
    said = json.dumps(exported(session, cast))
    assert "Ben" not in said
    assert "x@y.example" not in said


def test_the_export_of_somebody_without_an_account_is_theirs_alone(session: Session, cast: Cast) -> None:
    audit.record(
        session, None, audit.Event.HOLD_EXPIRED, kind="appointment", patient_id=cast.ada.patient_ids[0]
    )
    with packed(session, cast.guardian, cast.child_id) as archive:
        found = json.loads(archive.read("data.json"))
    assert {name for name, rows in found.items() if rows} == {"patient"}
    assert "Ada" not in json.dumps(found)


def test_who_tried_in_vain_is_not_told_to_the_patient(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    audit.record_refusal(session, cast.ben, AccessDenied(Action.SEE_RECORD, patient_id=ada_id))
    assert "Ben Sato" not in json.dumps(exported(session, cast))
    lines, _more = trails.accesses(session, cast.ada, patient_id=ada_id)
    assert "Ben Sato" not in {line.user for line in lines}


def test_messages_to_a_shared_number_are_not_the_childs_to_take(session: Session, cast: Cast) -> None:
    session.get_one(Patient, cast.child_id).phone = PHONE
    session.flush()
    assert exports.own_addresses(session, cast.child_id) == []
    assert exports.own_addresses(session, cast.ada.patient_ids[0]) == sorted([EMAIL, DESK_EMAIL])


def test_an_export_is_for_the_patient_and_the_guardian(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    privacy.export(session, cast.guardian, patient_id=cast.child_id)
    for actor in (cast.ben, cast.stranger, cast.guardian, cast.roth, cast.weiss, cast.desk, cast.admin):
        with pytest.raises(AccessDenied):
            privacy.export(session, actor, patient_id=ada_id)


def test_whose_money_is_in_the_ledger_is_kept_as_long_as_a_record(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    visit = treated(session, cast)
    pays(session, cast, visit)
    visit.status = AppointmentStatus.CANCELLED
    erased = privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name="Ada Okafor")
    assert erased.kept_until == date(2036, 6, 1)
    assert "invoices and receipts" in str(erased)
    with time_is(NOW.replace(year=2036) + timedelta(days=1)):
        assert privacy.expired_records(session) == 1
    held = everything_held(session)
    assert "Ada" not in held
    assert session.scalars(select(LedgerEntry.amount_minor).order_by(LedgerEntry.id)).all() == [6000, -6000]


def test_a_patient_never_treated_is_erased_wholly(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    token = sign_ins.start(session, user_id=cast.ada.user_id)
    trail = len(session.scalars(select(AuditEntry)).all())
    erased = privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name=" ada  okafor")
    assert erased.kept_until is None
    assert "no visit obliges us" in str(erased)
    held = everything_held(session)
    traces = ("Ada", "ada.", "1985-05-17", PHONE, ADDRESS, "Penicillin", "Migraine", WHY, *SECRETS)
    others = session.get_one(Patient, cast.child_id).birth_on.isoformat()
    assert [trace for trace in traces if trace in held and trace != others] == []
    assert sign_ins.current_actor(session, token) is None
    assert session.get_one(User, cast.ada.user_id).is_active is False
    assert "x@y.example" in held
    assert len(session.scalars(select(AuditEntry)).all()) == trail + 2, "the wish that waited is noted too"


def test_of_a_treated_patient_the_record_stays_for_ten_years(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    visit = treated(session, cast)
    erased = privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name="Ada Okafor")
    assert erased.kept_until == date(2036, 5, 25)
    assert "Kept until May 25, 2036" in str(erased)
    held = everything_held(session)
    assert [trace for trace in ("ada.", PHONE, ADDRESS, *SECRETS) if trace in held] == []
    record = records.open_record(session, cast.roth, patient_id=ada_id)
    assert (record.name, [each.name for each in record.items], [each.starts_at for each in record.past]) == (
        "Ada Okafor",
        ["Migraine", "Penicillin"],
        [visit.starts_at],
    )
    with pytest.raises(NotFound):
        privacy.erase(session, cast.admin, patient_id=ada_id, confirm_name="Ada Okafor")


def test_what_was_kept_is_erased_when_its_years_are_over(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    treated(session, cast)
    assert privacy.expired_records(session) == 0
    privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name="Ada Okafor")
    with time_is(NOW.replace(year=2036, month=5, day=24)):
        assert privacy.expired_records(session) == 0
    with time_is(NOW.replace(year=2036, month=5, day=25)):
        assert privacy.expired_records(session) == 1
        assert privacy.expired_records(session) == 0
    assert [
        trace for trace in ("Ada", "Penicillin", "Migraine", WHY) if trace in everything_held(session)
    ] == []
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert (last.user_id, last.patient_id, last.object_kind) == (None, ada_id, "patient")


def test_a_shorter_law_keeps_for_less_long(session: Session, cast: Cast) -> None:
    make.clinic(session, record_retention_years=0)
    treated(session, cast)
    erased = privacy.erase(session, cast.ada, patient_id=cast.ada.patient_ids[0], confirm_name="Ada Okafor")
    assert erased.kept_until is None
    assert session.get_one(Patient, cast.ada.patient_ids[0], populate_existing=True).name == ERASED_NAME


def test_what_stands_in_the_way_of_erasing_is_said(session: Session, cast: Cast) -> None:
    (ada_id,), (greta_id, *_child) = cast.ada.patient_ids, cast.guardian.patient_ids
    with pytest.raises(NameDiffers):
        privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name="Ada")
    with pytest.raises(DependantsRemain):
        privacy.erase(session, cast.guardian, patient_id=greta_id, confirm_name="Greta Klein")
    ada = session.get_one(Patient, ada_id)
    make.appointment(session, cast.dr_roth, cast.checkup, on(5, 10), patient=ada)
    with pytest.raises(VisitsAhead):
        privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name="Ada Okafor")
    at_work = patient_actor(session, "Rita Empfang")
    session.get_one(User, at_work.user_id).role = Role.STAFF
    session.flush()
    with pytest.raises(WorksHere):
        privacy.erase(session, cast.admin, patient_id=at_work.patient_ids[0], confirm_name="Rita Empfang")
    assert session.get_one(User, cast.ada.user_id).email == EMAIL


def test_erasing_is_for_the_patient_the_guardian_and_the_administrator(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    for actor in (cast.ben, cast.stranger, cast.guardian, cast.roth, cast.weiss, cast.desk):
        with pytest.raises(AccessDenied):
            privacy.erase(session, actor, patient_id=ada_id, confirm_name="Ada Okafor")
    privacy.erase(session, cast.guardian, patient_id=cast.child_id, confirm_name="Mila Klein")
    privacy.erase(session, cast.admin, patient_id=ada_id, confirm_name="Ada Okafor")
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert (last.action, last.patient_id) == (Action.ERASE_PATIENT, ada_id)


def test_whoever_is_erased_is_not_found_at_the_desk_nor_booked_for(session: Session, cast: Cast) -> None:
    (ada_id,) = cast.ada.patient_ids
    treated(session, cast)
    privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name="Ada Okafor")
    assert patients.search(session, cast.desk, text="Okafor") == []
    assert patients.find(session, cast.desk, ada_id) is None
    with pytest.raises(NotFound):
        appointments.book(
            session,
            cast.desk,
            patient_id=ada_id,
            doctor_id=cast.dr_roth.id,
            service_id=cast.checkup.id,
            starts_at=on(5, 10),
        )


def test_nothing_of_the_account_can_be_signed_in_with(session: Session, cast: Cast) -> None:
    privacy.erase(session, cast.ada, patient_id=cast.ada.patient_ids[0], confirm_name="Ada Okafor")
    for table in (SignIn, SignInGrant, SocialIdentity, RecoveryCode, OneTimeCode):
        left = select(table).where(table.user_id == cast.ada.user_id)
        assert session.scalars(left).all() == [], table
    account = session.get_one(User, cast.ada.user_id, populate_existing=True)
    assert (account.password_hash, account.totp_secret, account.email, account.phone) == (None,) * 4
    assert account.erased_at == NOW


def test_the_export_holds_no_note_that_the_patient_may_not_read(session: Session, cast: Cast) -> None:
    visit = treated(session, cast)
    assert [each["reason"] for each in exported(session, cast)["notes"]] == ["Migraine, again"]
    notes.hold_back(session, cast.roth, appointment_id=visit.id)
    assert exported(session, cast)["notes"] == []
    assert "Migraine, again" not in json.dumps(exported(session, cast))


def test_what_a_doctor_has_signed_is_kept_although_the_visit_was_called_off(
    session: Session, cast: Cast
) -> None:
    visit = treated(session, cast)
    visit.status = AppointmentStatus.CANCELLED
    session.flush()
    erased = privacy.erase(session, cast.ada, patient_id=visit.patient_id, confirm_name="Ada Okafor")
    assert erased.kept_until == date(2036, 5, 25)


@pytest.mark.parametrize("table", [RecordItem, Attachment, Letter, Prescription])
def test_what_arrives_after_a_patient_was_erased_is_refused_by_the_database(
    session: Session, cast: Cast, table: type[Base]
) -> None:
    ada_id = cast.ada.patient_ids[0]
    privacy.erase(session, cast.ada, patient_id=ada_id, confirm_name="Ada Okafor")
    with pytest.raises(DBAPIError, match="this patient has been erased"), session.begin_nested():
        session.execute(
            insert(table).values(
                patient_id=ada_id,
                **{
                    RecordItem: {"kind": "allergy", "name": "Dust", "noted_at": NOW},
                    Attachment: {
                        "name": "x.pdf",
                        "media_type": "application/pdf",
                        "size": 5,
                        "sha256": b"",
                        "content": b"%PDF-",
                        "added_at": NOW,
                        "added_by_id": cast.admin.user_id,
                    },
                    Letter: {
                        "doctor_id": cast.dr_roth.id,
                        "kind": "referral",
                        "created_at": NOW,
                        "saved_at": NOW,
                    },
                    Prescription: {"doctor_id": cast.dr_roth.id, "created_at": NOW},
                }[table],
            )
        )
