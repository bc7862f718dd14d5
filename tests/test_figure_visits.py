"""The visits behind a row of a figure: as many as it counts, and nobody else's."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import figure_filters, figure_lists, figure_rows, figure_visits, figures, tills
from core.access import Actor
from core.analytics.scopes import Scope, Step
from core.day_statements import VISIT_AMOUNTS
from core.errors import AccessDenied, NotFound
from core.figure_lists import Listed
from core.figure_visits import MOST, Visit
from core.figures import Table
from db.models import (
    AppointmentStatus,
    AuditEntry,
    Channel,
    MessageKind,
    Notification,
    NotificationStatus,
    OfferState,
    PaymentMethod,
    WaitlistEntry,
    WaitlistOffer,
)
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

MAY = Scope(date(2026, 5, 1), date(2026, 5, 31), step=Step.WEEK)
COMPLETED, NO_SHOW = AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    """May: Roth has three visits, one of them missed, on two Mondays; Weiß one, and one that was held."""
    with time_is(NOW):
        made = assemble(session)
        for doctor, day, hour, status in (
            (made.dr_roth, 4, 9, COMPLETED),
            (made.dr_roth, 4, 10, NO_SHOW),
            (made.dr_roth, 11, 9, COMPLETED),
            (made.dr_weiss, 12, 9, COMPLETED),
            (made.dr_weiss, 12, 11, AppointmentStatus.EXPIRED),
        ):
            make.appointment(session, doctor, made.checkup, on(day, hour, month=5), status=status)
        make.appointment(session, made.dr_roth, made.checkup, on(2, 9))
        yield made


def behind(session: Session, actor: Actor, table: Table, row: int) -> list[Visit]:
    return listed(session, actor, table, row).visits


def listed(session: Session, actor: Actor, table: Table, row: int, at_most: int = MOST) -> Listed:
    wanted = figure_rows.wanted(table, row)
    assert wanted is not None
    return figure_lists.read(session, actor, table=table, wanted=wanted, at_most=at_most)


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        ("revenue-over_time", [0, 2, 2, 0, 0]),
        ("revenue-by_doctor", [3, 1]),
        ("revenue-by_service", [4]),
        ("revenue-by_place", [4]),
        ("missed-over_time", [0, 1, 0, 0, 0]),
        ("missed-by_doctor", [1, 0]),
        ("missed-by_hour", [0, 1]),
        ("revenue-forecast", [1, 0, 0, 0, 0, 0, 0, 0]),
        ("revenue-by_specialty", [4]),
        ("missed-by_lead", [1, 0, 0, 0, 0, 0]),
        ("demand-lead_times", [4, 0, 0, 0, 0, 0]),
        ("missed-by_confirmation", [0, 1]),
    ],
)
def test_behind_each_row_are_the_visits_that_it_counts(
    session: Session, cast: Cast, key: str, counts: list[int]
) -> None:
    table = figures.read(session, cast.admin, key=key, scope=MAY)
    found = [len(behind(session, cast.admin, table, row)) for row in range(len(table.rows))]
    assert found == counts


def test_behind_an_hour_of_a_weekday_are_the_visits_that_begin_in_it(session: Session, cast: Cast) -> None:
    table = figures.read(session, cast.admin, key="utilisation-by_hour", scope=MAY)
    [monday_at_nine] = [row for row, each in enumerate(table.rows) if each[:2] == (1, 9)]
    visits = behind(session, cast.admin, table, monday_at_nine)
    assert [each.starts_at for each in visits] == [on(4, 9, month=5), on(11, 9, month=5)]


def test_behind_an_hour_that_clocks_repeat_are_the_visits_of_both(session: Session, cast: Cast) -> None:
    night = date(2026, 10, 25)
    for hour in (23, 0, 1, 2):  # from one to four on the clocks of Berlin, at two twice
        begins = datetime(2026, 10, 24 if hour == 23 else 25, hour, 15, tzinfo=UTC)
        make.appointment(session, cast.dr_roth, cast.checkup, begins, status=NO_SHOW)
    table = figures.read(session, cast.admin, key="missed-by_hour", scope=Scope(night, night))
    assert [row[:3] for row in table.rows] == [(1, 0, 1), (2, 0, 2), (3, 0, 1)]
    assert [len(behind(session, cast.admin, table, row)) for row in range(3)] == [1, 2, 1]


def test_behind_what_is_taken_are_no_visits_that_were_called_off(session: Session, cast: Cast) -> None:
    called_off = AppointmentStatus.CANCELLED
    make.appointment(session, cast.dr_weiss, cast.checkup, on(12, 9, month=5), status=called_off)

    def counts(key: str) -> list[int]:
        table = figures.read(session, cast.admin, key=key, scope=MAY)
        return [len(behind(session, cast.admin, table, row)) for row in range(len(table.rows))]

    assert sorted(counts("utilisation-by_doctor")) == [1, 3]
    assert counts("utilisation-over_time") == [0, 2, 2, 0, 0]
    assert sum(counts("utilisation-by_hour")) == 4
    assert counts("revenue-over_time") == [0, 2, 3, 0, 0], "who called off may have earned something"


def test_behind_what_is_taken_are_those_of_every_service_whichever_is_chosen(
    session: Session, cast: Cast
) -> None:
    """Services share the hours."""
    other = make.service(session)
    for key in ("utilisation-over_time", "utilisation-by_doctor", "utilisation-by_hour"):
        table = figures.read(session, cast.admin, key=key, scope=replace(MAY, service_id=other.id))
        assert table.rows == figures.read(session, cast.admin, key=key, scope=MAY).rows
        assert sum(len(behind(session, cast.admin, table, row)) for row in range(len(table.rows))) == 4, key


def test_no_more_are_given_than_were_asked_for(session: Session, cast: Cast) -> None:
    wanted = figure_rows.Wanted(MAY)
    visits, in_all = figure_visits.behind(session, cast.admin, wanted=wanted, at_most=2)
    assert in_all == 4
    assert [each.starts_at for each in visits] == [on(4, 9, month=5), on(4, 10, month=5)]


def test_of_more_than_are_listed_it_is_said_how_many_there_are(session: Session, cast: Cast) -> None:
    table = figures.read(session, cast.admin, key="revenue-by_service", scope=MAY)
    found = listed(session, cast.admin, table, 0, at_most=3)
    assert (len(found.visits), found.in_all, found.is_whole) == (3, 4, False)
    assert [found.amounts[each.id] for each in found.visits] == [
        *((6000, 6000, 6000), (6000, 0, 0), (6000, 6000, 6000))
    ]


def test_a_visit_that_is_gone_before_its_money_is_asked_for_adds_nothing(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = figures.read(session, cast.admin, key="revenue-by_service", scope=MAY)
    monkeypatch.setattr(figure_lists, "VISIT_AMOUNTS", f"SELECT * FROM ({VISIT_AMOUNTS}) AS found LIMIT 0")
    found = listed(session, cast.admin, table, 0)
    assert {figure_lists.parts(found, visit) for visit in found.visits} == {(0, 0, 0)}
    assert found.total == [0, 0, 0]


def test_behind_a_way_of_paying_is_the_money_of_a_time_that_was_not_kept(
    session: Session, cast: Cast
) -> None:
    """Somebody paid too late."""
    paid = make.appointment(session, cast.dr_weiss, cast.checkup, on(19, 9, month=5))
    with time_is(on(18, 9, month=5)):
        tills.take(session, cast.desk, appointment_id=paid.id, method=PaymentMethod.CASH, amount_minor=6000)
    paid.status = AppointmentStatus.EXPIRED
    session.flush()
    table = figures.read(session, cast.admin, key="revenue-by_method", scope=MAY)
    [row] = [place for place, each in enumerate(table.rows) if any(each[1:])]
    found = listed(session, cast.admin, table, row)
    assert [found.amounts[each.id] for each in found.visits] == [table.rows[row][1:]] == [(6000, 0, 6000)]


def test_behind_a_way_of_paying_is_no_money_of_another_currency(session: Session, cast: Cast) -> None:
    """Euros from before the clinic's prices were in francs are in no bar either."""
    ahead = [make.appointment(session, cast.dr_weiss, cast.checkup, on(9, hour)) for hour in (9, 11)]
    for visit, currency in zip(ahead, ("EUR", "CHF"), strict=True):
        make.clinic(session, currency=currency)
        cash, at = PaymentMethod.CASH, on(20, 9, month=5)
        with time_is(at):
            tills.take(session, cast.desk, appointment_id=visit.id, method=cash, amount_minor=6000)
    table = figures.read(session, cast.admin, key="revenue-by_method", scope=MAY)
    [row] = [place for place, each in enumerate(table.rows) if any(each[1:])]
    found = listed(session, cast.admin, table, row)
    assert [each.id for each in found.visits] == [ahead[1].id]
    assert found.total == list(table.rows[row][1:]) == [6000, 0, 6000]


def test_a_file_that_has_not_all_visits_says_so_and_has_no_total(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = str(cast.checkup.id)
    whole = figure_lists.as_csv(session, cast.admin, key="revenue-by_service", scope=MAY, of=mark)
    assert lines_of(whole)[5:] == [["Total", "", "", "", "", "240.00", "180.00", "180.00"]]
    monkeypatch.setattr(figure_lists, "EXPORTED", 3)
    cut = figure_lists.as_csv(session, cast.admin, key="revenue-by_service", scope=MAY, of=mark)
    assert lines_of(cut) == [*lines_of(whole)[:4], ["Only the first 3 visits are here."]]


def lines_of(file: bytes) -> list[list[str]]:
    return list(csv.reader(file.decode("utf-8-sig").splitlines()))


def test_a_file_of_visits_is_of_the_row_that_was_marked(session: Session, cast: Cast) -> None:
    """Whatever rows are of, each is found by its mark; text is no formula, and taking it is told."""
    cast.dr_roth.user.name = "=HYPERLINK(1)"
    session.flush()
    for figure in figures.FIGURES.values():
        table = figures.read(session, cast.admin, key=figure.key, scope=MAY)
        rows = range(len(table.rows))
        assert [figure_rows.marked(table, figure_rows.mark(table, row)) for row in rows] == list(rows)
    mark = str(cast.dr_roth.id)
    made = figure_lists.as_csv(session, cast.admin, key="missed-by_doctor", scope=MAY, of=mark)
    _heading, line = csv.reader(made.decode("utf-8-sig").splitlines())
    assert line[0] == "2026-05-04 10:00"
    assert line[2:] == ["'=HYPERLINK(1)", cast.checkup.name, "Did not come", "60.00"]
    [entry] = session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "export of visits"))
    assert entry.user_id == cast.admin.user_id
    for key, of in (("missed-by_doctor", "0"), ("patients-new_and_returning", "2026-05-04")):
        with pytest.raises(NotFound):
            figure_lists.as_csv(session, cast.admin, key=key, scope=MAY, of=of)


def test_doctors_who_share_a_name_each_have_their_own_visits(session: Session, cast: Cast) -> None:
    cast.dr_weiss.user.name = cast.dr_roth.user.name
    session.flush()
    for key in ("revenue-by_doctor", "missed-by_doctor", "utilisation-by_doctor"):
        table = figures.read(session, cast.admin, key=key, scope=MAY)
        assert [row[0] for row in table.rows] == ["Dr. Eva Roth"] * 2
        of = [{visit.doctor_id for visit in behind(session, cast.admin, table, row)} for row in (0, 1)]
        others = set() if key.startswith("missed") else {cast.dr_weiss.id}
        assert sorted(of, key=len) == sorted([{cast.dr_roth.id}, others], key=len)


def test_behind_the_total_is_no_list(session: Session, cast: Cast) -> None:
    table = figures.read(session, cast.admin, key="revenue-by_doctor", scope=MAY)
    assert table.total is not None
    assert figure_rows.wanted(table, len(table.rows)) is None
    assert not figure_rows.is_hidden(table, len(table.rows))


def test_what_is_not_of_visits_has_none(session: Session, cast: Cast) -> None:
    for key in ("demand-third_next", "overview-compared"):
        table = figures.read(session, cast.admin, key=key, scope=MAY)
        assert table.rows
        assert [figure_rows.wanted(table, row) for row in range(len(table.rows))] == [None] * len(table.rows)


def test_behind_patients_are_their_completed_visits_unless_they_are_few(session: Session, cast: Cast) -> None:
    """One patient came in each of two weeks of May; six others in April, and five of these in May too."""
    for number, patient in enumerate([make.patient(session) for _ in range(6)]):
        for month in (4, 5)[: 1 if number == 0 else 2]:
            when = on(18 + number, 9, month=month)
            make.appointment(session, cast.dr_weiss, cast.checkup, when, patient=patient, status=COMPLETED)
    by_month = Scope(date(2026, 4, 1), date(2026, 5, 31), step=Step.MONTH)
    table = figures.read(session, cast.admin, key="patients-new_and_returning", scope=by_month)
    assert [row[1:] for row in table.rows] == [(6, 0), (None, 5)]
    assert len(behind(session, cast.admin, table, 0)) == 6
    assert figure_rows.wanted(table, 1) is None
    assert figure_rows.is_hidden(table, 1)
    table = figures.read(session, cast.admin, key="patients-cohorts", scope=by_month)
    rows = {row[:3]: place for place, row in enumerate(table.rows)}
    came = behind(session, cast.admin, table, rows[date(2026, 4, 1), 6, 0])
    assert [visit.starts_at for visit in came] == [on(18 + number, 9, month=4) for number in range(6)]
    assert figure_rows.wanted(table, rows[date(2026, 4, 1), 6, 1]) is None, "all but one came back"


def test_behind_those_who_came_back_are_the_visits_of_nobody_else(session: Session, cast: Cast) -> None:
    """Of ten patients of April five came in May, after five who are new then."""
    april, may = ([make.patient(session) for _ in range(count)] for count in (10, 5))
    came = [(4, april), (5, [*may, *april[:5]])]
    for week, (month, patients) in enumerate(came):
        for number, patient in enumerate(patients):
            when = on(7 * week + 15, 9 + number // 2, 30 * (number % 2), month=month)
            make.appointment(session, cast.dr_weiss, cast.checkup, when, patient=patient, status=COMPLETED)
    both = Scope(date(2026, 4, 15), date(2026, 5, 31))
    table = figures.read(session, cast.admin, key="patients-cohorts", scope=both)
    rows = {row[:3]: place for place, row in enumerate(table.rows)}
    returned = behind(session, cast.admin, table, rows[date(2026, 4, 1), 10, 1])
    assert [visit.patient_id for visit in returned] == [patient.id for patient in april[:5]]
    first = behind(session, cast.admin, table, rows[date(2026, 5, 1), 8, 0])
    assert len(first) == 5 + 3, "with those of the first and second week"


def test_behind_reminders_are_the_visits_that_were_reminded_of_then(session: Session, cast: Cast) -> None:
    ahead = make.appointment(session, cast.dr_weiss, cast.checkup, on(9, 9))
    for channel, sent_at in ((Channel.SMS, on(20, 9, month=5)), (Channel.EMAIL, on(20, 9, month=4))):
        session.add(
            Notification(
                channel=channel,
                kind=MessageKind.REMINDER,
                sent_to="",
                body="",
                appointment_id=ahead.id,
                time_version=0,
                status=NotificationStatus.SENT,
                sent_at=sent_at,
                send_after=sent_at,
                created_at=sent_at,
            )
        )
    session.flush()
    table = figures.read(session, cast.admin, key="messages-answered", scope=MAY)
    assert [row[:2] for row in table.rows] == [("Text", 1)]
    assert [visit.id for visit in behind(session, cast.admin, table, 0)] == [ahead.id]


def test_behind_the_waitlist_are_the_visits_that_were_offered_then_and_taken(
    session: Session, cast: Cast
) -> None:
    dates = {"from_on": date(2026, 6, 1), "until_on": date(2026, 6, 30)}
    times = {"from_time": time(9), "until_time": time(12), "created_at": NOW}
    taken = [make.appointment(session, cast.dr_weiss, cast.checkup, on(9, hour)) for hour in (9, 10, 11)]
    for visit, day, state in zip(
        taken, (5, 12, 12), (OfferState.ACCEPTED, OfferState.ACCEPTED, OfferState.DECLINED), strict=True
    ):
        whose = {"patient_id": visit.patient_id, "doctor_id": visit.doctor_id, "service_id": visit.service_id}
        wish = WaitlistEntry(weekdays=[1], **whose, **dates, **times)
        session.add(wish)
        session.flush()
        offered_at = on(day, 9, month=5)
        over = {"offered_at": offered_at, "expires_at": offered_at, "ended_at": offered_at}
        session.add(WaitlistOffer(entry_id=wish.id, appointment_id=visit.id, state=state, **over))
    session.flush()
    table = figures.read(session, cast.admin, key="demand-recovered", scope=MAY)
    assert [row[3] for row in table.rows] == [0, 1, 1, 0, 0]
    found = [behind(session, cast.admin, table, row) for row in range(5)]
    assert [[visit.id for visit in visits] for visits in found] == [[], [taken[0].id], [taken[1].id], [], []]


def test_behind_a_way_of_paying_are_the_visits_whose_money_came_or_went_then(
    session: Session, cast: Cast
) -> None:
    ahead = make.appointment(session, cast.dr_weiss, cast.checkup, on(9, 9))
    with time_is(on(20, 9, month=5)):
        tills.take(session, cast.desk, appointment_id=ahead.id, method=PaymentMethod.CASH, amount_minor=6000)
    table = figures.read(session, cast.admin, key="revenue-by_method", scope=MAY)
    found = {row[0]: behind(session, cast.admin, table, place) for place, row in enumerate(table.rows)}
    assert {name: [each.id for each in visits] for name, visits in found.items()} == {
        "Card, online": [],
        "Card, at the desk": [],
        "Cash": [ahead.id],
    }


def test_behind_how_long_ahead_are_those_that_were_booked_so(session: Session, cast: Cast) -> None:
    for number, days in enumerate((0, 1, 2.9, 3, 40)):
        begins = on(20, 9 + number, month=5)
        booked = begins - timedelta(days=days)
        make.appointment(session, cast.dr_weiss, cast.checkup, begins, created_at=booked)
    scope = Scope(date(2026, 5, 20), date(2026, 5, 22))
    table = figures.read(session, cast.admin, key="demand-lead_times", scope=scope)
    found = [len(behind(session, cast.admin, table, row)) for row in range(len(table.rows))]
    assert found == [row[1] for row in table.rows] == [1, 2, 1, 0, 0, 1]


def test_a_doctor_sees_the_own_and_of_nobody_else(session: Session, cast: Cast) -> None:
    own = figures.read(
        session, cast.roth, key="missed-by_hour", scope=replace(MAY, doctor_id=cast.dr_roth.id)
    )
    [missed] = [visit for row in range(len(own.rows)) for visit in behind(session, cast.roth, own, row)]
    assert missed.starts_at == on(4, 10, month=5)
    for scope in (MAY, replace(MAY, doctor_id=cast.dr_weiss.id)):
        with pytest.raises(AccessDenied):
            figure_visits.behind(session, cast.roth, wanted=figure_rows.Wanted(scope))
    assert list(figure_filters.filters(session, cast.roth, doctor_id=cast.dr_roth.id).doctors) == [
        cast.dr_roth.id
    ]
