"""The waitlist on the screen: wishing, being offered a time, and answering, for oneself and at the desk."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import waitlist_answers, waitlist_offers
from db.config import config
from db.models import (
    Appointment,
    AppointmentStatus,
    OfferState,
    PaymentRule,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
)
from db.session import unit_of_work
from tests import make
from tests.app_pages import OpenAs
from tests.cast import time_is
from tests.payment_sandbox import KEY, PaymentSandbox
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
PAGE, DESK, MINE = (
    "pages/patient/my_waitlist.py",
    "pages/staff/waitlist.py",
    "pages/patient/my_appointments.py",
)
THURSDAY = date(2026, 6, 4)


def waits(database: Engine, residents: Residents, *patient_ids: int, on: date = THURSDAY) -> list[int]:
    """Patients wait for ten to half past ten with Dr. Roth; the numbers of their entries."""
    with unit_of_work(database) as session:
        entries = [
            WaitlistEntry(
                patient_id=patient_id,
                service_id=residents.checkup_id,
                doctor_id=residents.roth_id,
                from_on=on,
                until_on=on,
                weekdays=[on.isoweekday()],
                from_time=time(10),
                until_time=time(10, 30),
                created_at=NOON - timedelta(hours=1) + timedelta(minutes=place),
            )
            for place, patient_id in enumerate(patient_ids)
        ]
        session.add_all(entries)
        session.flush()
        return [entry.id for entry in entries]


def offered(database: Engine, residents: Residents, patient_id: int) -> int:
    """Somebody waits and is offered that time; the number of the offer."""
    waits(database, residents, patient_id)
    assert waitlist_offers.offer_freed() == 1
    with Session(database) as session:
        return session.scalars(select(WaitlistOffer.id)).one()


def state_of(database: Engine, offer_id: int) -> tuple[OfferState, AppointmentStatus]:
    with Session(database) as session:
        query = select(WaitlistOffer.state, Appointment.status).join(WaitlistOffer.appointment)
        state, status = session.execute(query.where(WaitlistOffer.id == offer_id)).one()
    return state, status


def entries(database: Engine) -> list[WaitlistEntry]:
    with Session(database, expire_on_commit=False) as session:
        return list(session.scalars(select(WaitlistEntry)))


def shown(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def test_a_patient_who_finds_no_time_puts_a_wish_on_the_list(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("ada", PAGE, doctor=str(residents.roth_id), service=str(residents.checkup_id))
    assert "Nothing is wished for yet" in app.info[0].value
    assert app.selectbox(key=f"wish_whom_{residents.checkup_id}").value == ("doctor", residents.roth_id)
    app.time_input(key="wish_from_time").set_value(time(10)).run()
    app.button(key="wish_submit").click().run()
    assert not app.exception
    assert "On the waitlist" in app.success[0].value
    [entry] = entries(database)
    assert (entry.doctor_id, entry.specialty_id) == (residents.roth_id, None)
    assert (entry.from_on, entry.until_on) == (NOON.date(), NOON.date() + timedelta(days=13))
    assert (entry.weekdays, entry.from_time, entry.until_time) == ([1, 2, 3, 4, 5], time(10), time(18))
    assert "First in line." in shown(app)
    assert "1 Jun 2026 to 14 Jun 2026 · Mon, Tue, Wed, Thu, Fri · 10:00–18:00" in shown(app)


def test_a_wish_for_a_specialty_and_for_a_child(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        child_id = make.patient(session, name="Mila Okafor", guardian_id=residents.ada_id).id
    app = open_as("ada", PAGE, specialty=str(residents.cardiology_id))
    app.button_group(key="wish_patient").set_value(child_id).run()
    app.button(key="wish_submit").click().run()
    [entry] = entries(database)
    assert (entry.patient_id, entry.doctor_id, entry.specialty_id) == (
        child_id,
        None,
        residents.cardiology_id,
    )
    assert "Anybody of Cardiology" in shown(app)
    assert "Mila Okafor" in shown(app)


def test_a_wish_that_can_never_be_is_refused_in_one_sentence(open_as: OpenAs, database: Engine) -> None:
    app = open_as("ada", PAGE)
    app.button(key="wish_submit").click().run()
    assert said(app.error) == ["Please choose a doctor or a specialty."]
    app.button_group(key="wish_weekdays").set_value([]).run()
    app.time_input(key="wish_from_time").set_value(time(19)).run()
    app.button(key="wish_submit").click().run()
    assert len(app.error) == 1
    assert entries(database) == []


def test_an_offer_stands_on_top_of_the_visits_and_yes_books_it(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    offer_id = offered(database, residents, residents.ada_id)
    app = open_as("ada", MINE)
    assert "A time is free for Ada Okafor. It is held for another 1 hour." in shown(app).replace("**", "")
    assert ":violet-badge[Offered]" in shown(app)
    assert "You have no appointment ahead." in said(app.info)
    assert "visits_cancel" not in str([button.key for button in app.button])
    app.button(key=f"waitlist_accept_{offer_id}").click().run()
    assert not app.exception
    assert said(app.success) == ["The time is booked."]
    assert state_of(database, offer_id) == (OfferState.ACCEPTED, AppointmentStatus.CONFIRMED)
    assert "A time is free" not in shown(app)


def test_who_answers_too_late_reads_one_sentence(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    offer_id = offered(database, residents, residents.ada_id)
    app = open_as("ada", PAGE)
    with unit_of_work(database) as session:
        waitlist_answers.decline_by_text(session, session.get_one(WaitlistOffer, offer_id))
    app.button(key=f"waitlist_accept_{offer_id}").click().run()
    assert said(app.error) == ["This offer is over: it has been answered, or it was not answered in time."]
    assert f"waitlist_accept_{offer_id}" not in [button.key for button in app.button]


def test_an_offer_whose_time_is_over_is_not_shown_any_more(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    offer_id = offered(database, residents, residents.ada_id)
    with time_is(NOON + timedelta(hours=1)):
        app = open_as("ada", MINE)
        assert f"waitlist_accept_{offer_id}" not in [button.key for button in app.button]


def test_a_later_visit_for_the_same_is_named_and_can_be_cancelled_afterwards(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    later_id = visit(database, residents, hours_ahead=24 * 9)
    offer_id = offered(database, residents, residents.ada_id)
    app = open_as("ada", MINE)
    assert "There is a later visit for this: Wed 10 Jun, 14:00" in shown(app)
    app.button(key=f"waitlist_accept_{offer_id}").click().run()
    assert "The later visit is still there" in said(app.success)[0]
    assert app.button(key=f"cancel_submit_{later_id}").label == "Cancel this visit"


def test_where_something_is_due_yes_leads_to_the_payment(
    open_as: OpenAs,
    database: Engine,
    residents: Residents,
    sandbox: PaymentSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox.url)
    config.cache_clear()
    sandbox.set_clock(NOON)
    with unit_of_work(database) as session:
        make.clinic(session, payment_rule=PaymentRule.FULL)
    offer_id = offered(database, residents, residents.ada_id)
    app = open_as("ada", PAGE)
    assert "It costs €60.00, which is paid now." in shown(app)
    app.button(key=f"waitlist_accept_{offer_id}").click().run()
    assert not app.exception
    assert app.title[0].value == "Payment"
    assert state_of(database, offer_id) == (OfferState.ACCEPTED, AppointmentStatus.PENDING)


def test_no_frees_the_time_and_the_wish_stays_until_it_is_withdrawn(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    offer_id = offered(database, residents, residents.ada_id)
    app = open_as("ada", PAGE)
    app.button(key=f"waitlist_decline_{offer_id}").click().run()
    assert said(app.success) == ["Declined. The wish stays on the waitlist for another time."]
    assert state_of(database, offer_id) == (OfferState.DECLINED, AppointmentStatus.EXPIRED)
    [entry] = entries(database)
    app.button(key=f"waitlist_withdraw_{entry.id}").click().run()
    assert said(app.success) == ["Taken off the waitlist."]
    assert [entry.state for entry in entries(database)] == [WaitlistState.WITHDRAWN]


@pytest.mark.parametrize("page", ["pages/patient/doctor.py", "pages/patient/find_doctor.py"])
def test_who_looks_for_a_time_finds_the_way_to_the_list(
    open_as: OpenAs, residents: Residents, page: str
) -> None:
    app = open_as("ada", page, doctor=str(residents.roth_id))
    links = [each.proto.label for each in app.main if getattr(each, "type", "") == "page_link"]
    links += [each.proto.label for each in app.get("page_link")]
    assert "Tell me when an earlier time is free" in links


def test_the_desk_sees_everybody_who_waits_and_answers_for_them(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    waits(database, residents, residents.ada_id, residents.ben_id)
    assert waitlist_offers.offer_freed() == 1
    with Session(database) as session:
        offer_id = session.scalars(select(WaitlistOffer.id)).one()
    app = open_as("rita", DESK)
    assert "Ada Okafor" in shown(app)
    assert "Number 2 in line." in shown(app)
    assert "Offered until 15:00." in shown(app)
    app.selectbox(key="waiting_doctor").set_value(residents.weiss_id).run()
    assert "Nobody waits for that." in said(app.info)
    app.selectbox(key="waiting_doctor").set_value(None).run()
    app.button(key=f"waitlist_accept_{offer_id}").click().run()
    assert not app.exception
    assert said(app.success) == ["The time is booked."]
    assert "Ada Okafor" not in shown(app)


def test_the_desk_puts_a_patient_on_the_list(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    app = open_as("rita", DESK)
    assert "Nobody is on the waitlist." in said(app.info)
    app.text_input(key="people_text").set_value("okafor").run()
    app.button(key=f"people_{residents.ada_id}").click().run()
    app.selectbox(key=f"waiting_wish_whom_{residents.checkup_id}").set_value(
        ("doctor", residents.roth_id)
    ).run()
    app.button(key="waiting_wish_submit").click().run()
    assert not app.exception
    assert [entry.patient_id for entry in entries(database)] == [residents.ada_id]
    app.button(key="waiting_wish_submit").click().run()
    assert said(app.error) == ["This wish is on the waitlist already."]


def test_the_desk_is_told_that_the_list_goes_on(
    open_as: OpenAs, database: Engine, residents: Residents, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work(database) as session:
        ids = [make.patient(session).id for _number in range(21)]
    waits(database, residents, *ids)
    app = open_as("rita", DESK)
    assert "20 of 21 are shown." in shown(app)
    app.button(key="waiting_more").click().run()
    assert "Number 21 in line." in shown(app)


def test_at_the_desk_an_offered_time_is_no_visit_to_move_or_cancel(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    offered(database, residents, residents.ada_id)
    app = open_as("rita", "pages/staff/book_for_patient.py")
    app.text_input(key="people_text").set_value("okafor").run()
    app.button(key=f"people_{residents.ada_id}").click().run()
    assert "Offered until 15:00." in shown(app)
    assert [button.key for button in app.button if str(button.key).startswith("visits_")] == []
    app = open_as("rita", "pages/doctor/today.py")
    assert not app.exception


def unpaid(database: Engine, residents: Residents) -> None:
    """Ada has accepted what was offered and did not pay in time."""
    number = offered(database, residents, residents.ada_id)
    with unit_of_work(database) as session:
        offer = session.get_one(WaitlistOffer, number)
        offer.state, offer.ended_at = OfferState.ACCEPTED, NOON
        session.get_one(WaitlistEntry, offer.entry_id).state = WaitlistState.BOOKED
        session.get_one(WaitlistEntry, offer.entry_id).ended_at = NOON
        visit = session.get_one(Appointment, offer.appointment_id)
        visit.status, visit.hold_expires_at = AppointmentStatus.EXPIRED, None


def test_who_did_not_pay_in_time_reads_that_and_asks_again(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    unpaid(database, residents)
    app = open_as("ada", PAGE)
    assert "You did not pay in time: Thu 4 Jun, 10:00 is held no longer" in shown(app)
    [gone] = entries(database)
    app.button(key=f"waitlist_again_{gone.id}").click().run()
    assert said(app.success) == ["On the waitlist again."]
    assert [each.state for each in entries(database)] == [WaitlistState.BOOKED, WaitlistState.WAITING]
    app.button(key=f"waitlist_again_{gone.id}").click().run()
    assert said(app.error) == ["This wish is on the waitlist already."]


def test_the_desk_reads_how_wishes_ended(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    app = open_as("rita", DESK)
    app.toggle(key="waiting_ended").set_value(True).run()
    assert "None has in the last 90 days." in shown(app)
    unpaid(database, residents)
    app.run()
    assert "Ada Okafor" in shown(app)
    assert "Not paid in time: Thu 4 Jun, 10:00 is held no longer and goes to the next in line." in shown(app)


def test_of_more_wishes_than_are_shown_that_is_said(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    waits(database, residents, *[residents.ada_id] * 51)
    with unit_of_work(database) as session:
        for each in session.scalars(select(WaitlistEntry)):
            each.state, each.ended_at = WaitlistState.WITHDRAWN, NOON
    app = open_as("ada", PAGE)
    assert "Only the last 50 are shown." in shown(app)
    assert shown(app).count("Taken off the waitlist.") == 50
