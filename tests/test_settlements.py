"""Visits without hours are moved, handed over, offered a choice or called off, each once and paid back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from core import (
    appointments,
    cancellations,
    choice_links,
    choices,
    claims,
    moves,
    settlements,
    sms_lengths,
    stranding_watch,
    strandings,
    suggestions,
    tills,
)
from core.access import Actor
from core.appointment_errors import VisitChanged
from core.choices import LinkOver, NoTimesChosen, OnlyHeld
from core.errors import AccessDenied
from core.offers import SlotTaken
from core.settlements import NotTheirField
from core.strandings import NotStranded
from db.models import (
    Appointment,
    AppointmentStatus,
    ChoiceLink,
    Location,
    MessageKind,
    Notification,
    Patient,
    PaymentMethod,
    Refund,
    Specialty,
    TimeOff,
    doctor_specialties,
)
from db.session import unit_of_work
from tests import make, messages
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.messages import Post
from tests.phones import Phones


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        made = assemble(session)
        specialty = Specialty(name="Cardiology")
        session.add(specialty)
        session.flush()
        for doctor in (made.dr_roth, made.dr_weiss):
            row = {"doctor_id": doctor.id, "specialty_id": specialty.id}
            session.execute(doctor_specialties.insert().values(row))
        yield made


def ill(session: Session, cast: Cast) -> None:
    """Dr. Roth is away on Wednesday."""
    make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's on Wednesday at ten, when Dr. Roth is away."""
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    made = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada)
    ill(session, cast)
    return made


def listed(session: Session, actor: Actor, **of: Any) -> list[Appointment]:
    return [each.visit for each in strandings.waiting(session, actor, **of).shown]


def test_the_nearest_times_are_suggested_with_the_doctor_and_with_others(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    found = suggestions.suggest(session, cast.desk, visits=listed(session, cast.desk))[visit.id]
    assert [each.starts_at for each in found.own] == [on(2, 16, 30), on(2, 16), on(2, 15, 30)]
    assert {each.doctor_id for each in found.own} == {cast.dr_roth.id}
    assert (found.others[0].doctor, found.others[0].starts_at) == ("Dr. Jonas Weiß", on(3, 10))


def test_no_two_visits_are_given_the_same_time_first(session: Session, cast: Cast) -> None:
    for hour in (9, 10, 11):
        make.appointment(session, cast.dr_roth, cast.checkup, on(3, hour))
    ill(session, cast)
    found = suggestions.suggest(session, cast.desk, visits=listed(session, cast.desk))
    for kind in ("own", "others"):
        first = [getattr(each, kind)[0].starts_at for each in found.values()]
        assert len(set(first)) == 3


def test_nor_where_a_colleague_stands_in_for_a_doctor_who_is_gone(session: Session, cast: Cast) -> None:
    make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 9))
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
    make.time_off(session, cast.dr_weiss, on(3, 9), on(3, 10))
    cast.dr_roth.is_active = False
    session.flush()
    found = suggestions.suggest(session, cast.desk, visits=listed(session, cast.desk)).values()
    assert [(bool(each.own), bool(each.others)) for each in found] == [(True, False), (False, True)]
    assert [(each.own or each.others)[0].starts_at for each in found] == [on(3, 10), on(3, 10, 30)]


def test_nothing_is_suggested_that_the_patient_could_not_hear_of_or_be_at(
    session: Session, cast: Cast
) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    today = make.appointment(session, cast.dr_roth, cast.checkup, on(1, 9), patient=ada)
    make.appointment(session, cast.dr_weiss, cast.checkup, on(1, 11), patient=ada)
    make.time_off(session, cast.dr_roth, on(1, 9), on(1, 10))
    times = suggestions.suggest(session, cast.desk, visits=listed(session, cast.desk))[today.id]
    assert times.own[0].starts_at == on(1, 10)
    assert [each.starts_at for each in times.others] == [on(1, 10), on(1, 10, 30), on(1, 11, 30)]


def test_a_doctor_of_another_field_or_without_the_service_takes_nothing_over(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    stranger = make.doctor(session, offers=[cast.checkup])
    [found] = suggestions.suggest(session, cast.desk, visits=[visit]).values()
    assert stranger.id not in {each.doctor_id for each in found.others}
    with pytest.raises(NotTheirField):
        settlements.move(
            session, cast.desk, appointment_id=visit.id, doctor_id=stranger.id, starts_at=on(3, 10)
        )


@pytest.mark.parametrize("who", ["desk", "roth"])
def test_a_visit_is_handed_over_and_its_patient_told_once(
    session: Session, cast: Cast, visit: Appointment, who: str
) -> None:
    wanted = {"appointment_id": visit.id, "doctor_id": cast.dr_weiss.id, "starts_at": on(3, 10)}
    key = uuid4()
    for _press in range(2):
        moved = settlements.move(session, getattr(cast, who), **wanted, request_key=key)
    assert (moved.doctor_id, moved.time_version) == (cast.dr_weiss.id, 1)
    assert strandings.find(session) == {}
    told = session.scalars(select(Notification.kind).where(Notification.appointment_id == visit.id)).all()
    assert told == [MessageKind.MOVED]
    with pytest.raises(NotStranded):
        settlements.move(session, cast.desk, **wanted | {"starts_at": on(3, 11)})


def test_a_visit_that_the_hours_cover_is_not_settled(session: Session, cast: Cast) -> None:
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
    for act in (
        lambda: settlements.call_off(session, cast.desk, appointment_id=visit.id),
        lambda: choices.offer_choice(
            session, cast.desk, appointment_id=visit.id, times=[(cast.dr_roth.id, on(3, 11))]
        ),
    ):
        with pytest.raises(NotStranded):
            act()


def test_calling_off_pays_everything_back_however_late_it_is(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    visit.late_fee_minor = 3000
    tills.take(session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=6000)
    with time_is(on(3, 9)):
        settlements.call_off(session, cast.roth, appointment_id=visit.id)
    assert visit.status is AppointmentStatus.CANCELLED
    assert session.scalars(select(Refund.amount_minor)).all() == [6000]


@pytest.mark.parametrize("how", ["portal", "desk", "text"])
def test_a_patient_whose_doctor_is_away_owes_no_late_fee(
    session: Session, cast: Cast, visit: Appointment, how: str
) -> None:
    visit.late_fee_minor = 3000
    tills.take(session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=6000)
    with time_is(on(3, 9)):
        if how == "text":
            appointments.cancel_by_text(session, visit.id)
        else:
            actor = cast.ada if how == "portal" else cast.desk
            seen = cancellations.expected(session, actor, appointment_id=visit.id)
            assert seen == (0, 6000, 0)
            appointments.cancel(session, actor, appointment_id=visit.id, reason="You are ill", seen=seen)
    assert session.scalars(select(Refund.amount_minor)).all() == [6000]


def test_a_late_fee_is_kept_where_the_doctor_is_there(session: Session, cast: Cast) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada)
    visit.late_fee_minor = 3000
    tills.take(session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=6000)
    with time_is(on(3, 9)):
        assert cancellations.expected(session, cast.ada, appointment_id=visit.id) == (3000, 3000, 0)


def test_a_visit_whose_hour_has_come_waits_for_the_desk(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with time_is(on(3, 10, 5)):
        assert listed(session, cast.desk) == [visit]
        assert strandings.count(session, cast.roth) == 1
        settlements.move(
            session,
            cast.desk,
            appointment_id=visit.id,
            doctor_id=cast.dr_roth.id,
            starts_at=on(4, 10),
        )
        assert listed(session, cast.desk) == []


def test_a_visit_that_nobody_has_settled_stays_on_the_list_after_its_day(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    tills.take(session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=6000)
    with time_is(on(4, 8)):
        assert listed(session, cast.desk) == [visit]
        assert strandings.count(session, cast.roth) == 1
        [found] = suggestions.suggest(session, cast.desk, visits=[visit]).values()
        assert found.own[0].starts_at == on(4, 10)
        settlements.call_off(session, cast.desk, appointment_id=visit.id)
        assert listed(session, cast.desk) == []
    assert session.scalars(select(Refund.amount_minor)).all() == [6000]


def test_what_has_changed_since_its_day_brings_no_visit_of_the_past_back(
    session: Session, cast: Cast
) -> None:
    past = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
    with time_is(on(4, 8)):
        session.get_one(Location, past.location_id).is_active = False
        cast.dr_roth.is_active = False
        session.flush()
        assert listed(session, cast.desk) == []
        session.get_one(Location, past.location_id).is_active = True
        session.flush()
        assert listed(session, cast.desk) == []


@pytest.fixture
def link(session: Session, cast: Cast, visit: Appointment) -> ChoiceLink:
    """Two times of Dr. Roth's and one of Dr. Weiß's."""
    times = [(cast.dr_roth.id, on(4, 9)), (cast.dr_roth.id, on(4, 10)), (cast.dr_weiss.id, on(3, 10))]
    return choices.offer_choice(session, cast.desk, appointment_id=visit.id, times=times)


def taken(session: Session, link: ChoiceLink, doctor_id: int, at: Any) -> Appointment:
    return choices.choose(session, secret=choice_links.token(link.id), doctor_id=doctor_id, starts_at=at)


def test_a_patient_chooses_by_link_without_signing_in_and_only_once(
    session: Session, cast: Cast, visit: Appointment, link: ChoiceLink
) -> None:
    secret = choice_links.token(link.id)
    looked = choices.look(session, secret=secret)
    assert looked is not None
    assert [at for _who, at in looked.times] == [on(3, 10), on(4, 9), on(4, 10)]
    [stranded] = strandings.waiting(session, cast.desk).shown
    assert stranded.choice is not None, "it stays on the list until they have chosen"
    assert taken(session, link, cast.dr_roth.id, on(4, 10)).starts_at == on(4, 10)
    assert listed(session, cast.desk) == []
    assert choices.look(session, secret=secret) is None
    with pytest.raises(LinkOver):
        taken(session, link, cast.dr_roth.id, on(4, 9))
    assert secret not in str(session.execute(select(ChoiceLink.token_hash)).all())


def test_a_time_that_has_gone_is_told_and_the_others_stay(
    session: Session, cast: Cast, visit: Appointment, link: ChoiceLink
) -> None:
    make.appointment(session, cast.dr_roth, cast.checkup, on(4, 9))
    with session.begin_nested() as nested, pytest.raises(SlotTaken):
        taken(session, link, cast.dr_roth.id, on(4, 9))
    assert nested is not None
    looked = choices.look(session, secret=choice_links.token(link.id))
    assert looked is not None
    assert [at for _who, at in looked.times] == [on(3, 10), on(4, 10)]
    assert taken(session, link, cast.dr_weiss.id, on(3, 10)).doctor_id == cast.dr_weiss.id


def test_every_link_that_is_no_good_is_told_the_same(
    session: Session, cast: Cast, visit: Appointment, link: ChoiceLink
) -> None:
    wanted = {"doctor_id": cast.dr_roth.id, "starts_at": on(4, 9)}
    said = set()

    def refused(secret: str, **other: Any) -> None:
        with pytest.raises(LinkOver) as refusal:
            choices.choose(session, secret=secret, **wanted | other)
        said.add(str(refusal.value))

    secret = choice_links.token(link.id)
    refused("")
    refused("guessed")
    refused(secret, starts_at=on(5, 9))
    with time_is(link.expires_at):
        refused(secret)
    choices.offer_choice(session, cast.desk, appointment_id=visit.id, times=[(cast.dr_roth.id, on(4, 9))])
    refused(secret)
    newest = session.scalars(select(ChoiceLink).order_by(ChoiceLink.id.desc())).first()
    assert newest is not None
    visit.status = AppointmentStatus.CANCELLED
    session.flush()
    refused(choice_links.token(newest.id))
    assert len(said) == 1


def test_a_link_offers_what_is_free_and_of_the_field_and_for_what_is_booked(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    offer = {"session": session, "actor": cast.desk, "appointment_id": visit.id}
    with pytest.raises(NoTimesChosen):
        choices.offer_choice(**offer, times=[])
    with pytest.raises(AccessDenied):
        choices.offer_choice(**offer | {"actor": cast.weiss}, times=[(cast.dr_roth.id, on(4, 9))])
    visit.status, visit.hold_expires_at = AppointmentStatus.PENDING, NOW + timedelta(minutes=9)
    with pytest.raises(OnlyHeld):
        choices.offer_choice(**offer, times=[(cast.dr_roth.id, on(4, 9))])


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


def test_the_text_is_one_segment_names_neither_doctor_nor_service_and_is_not_kept(post: Post) -> None:
    visit_id = post.book()
    post.tick()
    post.turn()
    with unit_of_work(post.database) as session:
        make.time_off(session, post.cast.dr_roth, on(5, 0), on(6, 0))
        link = choices.offer_choice(
            session, post.cast.desk, appointment_id=visit_id, times=[(post.cast.dr_roth.id, on(8, 9))]
        )
    post.turn()
    _booked, text = post.texts()
    secret = choice_links.token(link.id)
    assert f"/choose_time?link={secret}" in text
    assert "Fri" in text
    for word in ("Roth", "Check-up"):
        assert word not in text
    assert sms_lengths.segments(text.replace("http://localhost:8501", "https://portal.clinic.example")) == 1
    with unit_of_work(post.database) as session:
        kept = session.scalars(select(Notification).where(Notification.kind == MessageKind.CHOICE)).one()
        assert (kept.body, secret in str(kept.details)) == ("", False)
        moved = choices.choose(session, secret=secret, doctor_id=post.cast.dr_roth.id, starts_at=on(8, 9))
        assert moved.starts_at == on(8, 9)
    post.tick()
    post.turn()
    assert "has moved to Mon, Jun 8" in post.texts()[-1]


def test_a_patient_whose_hour_has_come_is_asked_too(post: Post) -> None:
    visit_id = post.book()
    post.tick()
    post.turn()
    with unit_of_work(post.database) as session:
        starts_at = session.get_one(Appointment, visit_id).starts_at
        make.time_off(session, post.cast.dr_roth, on(5, 0), on(6, 0))
    post.tick(starts_at - post.now + timedelta(minutes=5))
    with unit_of_work(post.database) as session:
        link = choices.offer_choice(
            session, post.cast.desk, appointment_id=visit_id, times=[(post.cast.dr_roth.id, on(8, 9))]
        )
    post.turn()
    assert choice_links.token(link.id) in post.texts()[-1]


@pytest.mark.parametrize("minutes", [-2, 5], ids=["two minutes before", "five minutes after"])
def test_a_visit_that_is_called_off_when_its_hour_has_come_is_told_of(post: Post, minutes: int) -> None:
    visit_id = post.book()
    post.tick()
    post.turn()
    with unit_of_work(post.database) as session:
        make.time_off(session, post.cast.dr_roth, on(5, 0), on(6, 0))
    post.tick(post.visit(visit_id).starts_at - post.now + timedelta(minutes=minutes))
    with unit_of_work(post.database) as session:
        settlements.call_off(session, post.cast.desk, appointment_id=visit_id)
    post.turn()
    post.tick()
    post.turn()
    assert [text for text in post.texts() if "cancelled" in text or "off" in text][-1:] == post.texts()[-1:]
    assert len(post.texts()) == 2


def asked(post: Post) -> tuple[int, ChoiceLink]:
    """Ada's visit on Friday, when Dr. Roth is away, and the link with which she was sent to choose."""
    visit_id = post.book()
    post.tick()
    post.turn()
    with unit_of_work(post.database) as session:
        make.time_off(session, post.cast.dr_roth, on(5, 0), on(6, 0))
        link = choices.offer_choice(
            session, post.cast.desk, appointment_id=visit_id, times=[(post.cast.dr_roth.id, on(8, 9))]
        )
    post.turn()
    return visit_id, link


def test_who_was_asked_to_choose_is_told_when_the_visit_is_kept_and_the_link_ends(post: Post) -> None:
    visit_id, link = asked(post)
    with unit_of_work(post.database) as session:
        causes = strandings.find(session)[visit_id]
        strandings.keep(
            session, post.cast.roth, appointment_id=visit_id, reason="I am here after all", causes=causes
        )
        assert choices.look(session, secret=choice_links.token(link.id)) is None
    post.tick()
    post.turn()
    assert len(post.texts()) == 3
    assert "you are booked for Fri, Jun 5" in post.texts()[-1]


def test_who_was_asked_to_choose_is_told_when_the_hours_are_back(post: Post) -> None:
    _visit_id, link = asked(post)
    assert stranding_watch.watch() == 1, "noted, and nobody told"
    with unit_of_work(post.database) as session:
        session.execute(delete(TimeOff))
    assert stranding_watch.watch() == 2, "no longer noted, and told"
    assert stranding_watch.watch() == 0, "once"
    with unit_of_work(post.database) as session:
        assert choices.look(session, secret=choice_links.token(link.id)) is None
    post.tick()
    post.turn()
    assert len(post.texts()) == 3
    assert "you are booked for Fri, Jun 5" in post.texts()[-1]


def test_who_holds_a_time_that_cannot_be_is_told_that_it_is_called_off(post: Post) -> None:
    visit_id = post.book()
    with unit_of_work(post.database) as session:
        visit = session.get_one(Appointment, visit_id)
        visit.status, visit.hold_expires_at = AppointmentStatus.PENDING, post.now + timedelta(days=1)
        make.time_off(session, post.cast.dr_roth, on(5, 0), on(6, 0))
    post.tick()
    with unit_of_work(post.database) as session:
        settlements.call_off(session, post.cast.desk, appointment_id=visit_id)
    post.tick()
    post.turn()
    [told] = post.texts()
    assert "cancelled" in told
    assert "Jun 5" in told


def test_who_was_told_that_a_visit_cannot_be_is_not_reminded_of_it(post: Post) -> None:
    visit_id, _link = asked(post)
    post.pass_time(on(5, 9))
    assert [text for text in post.texts() if "Jun 5" in text][1:] == [post.texts()[1]]
    reminders = [each for each in post.messages(visit_id) if each.kind is MessageKind.REMINDER]
    assert {each.error for each in reminders} == {"its patient is asked to choose another time"}


def test_a_link_that_is_over_is_not_sent(session: Session, visit: Appointment, link: ChoiceLink) -> None:
    choice_links.end(session, visit.id)
    claims.take(session, can_mail=True, can_text=True)
    message = session.scalars(select(Notification).where(Notification.kind == MessageKind.CHOICE)).one()
    assert message.error == "the link is over"


def test_who_settles_what_somebody_else_has_just_settled_is_told(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    session.expunge(visit)
    settlements.move(
        session, cast.desk, appointment_id=visit.id, doctor_id=cast.dr_weiss.id, starts_at=on(3, 10)
    )
    with pytest.raises(VisitChanged):
        moves.relocate(session, cast.desk, visit, doctor_id=cast.dr_roth.id, starts_at=on(4, 10))
