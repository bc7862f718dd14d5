"""Personal files at addresses of their own: whoever asks is checked each time, and nothing is kept for later.

Never `st.download_button`: what Streamlit offers under /media is anybody's who knows the address.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core import (
    attachments,
    calendars,
    day_lists,
    documents,
    figure_lists,
    figure_pdfs,
    figures,
    history_choices,
    history_reports,
    letter_pdfs,
    monthly_reports,
    prescription_pdfs,
    privacy,
    tickets,
    trails,
    treatments,
    visit_summaries,
)
from core.access import Actor
from core.analytics import addresses
from core.printouts import HISTORIES, LONG
from db.config import config
from pages.front import handouts
from pages.front.handouts import File, Print, Ready, answer


async def visit_calendar(request: Request) -> Response:
    """The .ics of a visit."""

    def build(session: Any, actor: Actor) -> File:
        number, url = handouts.number(request), config().public_url
        made = calendars.visit_ics(session, actor, appointment_id=number, public_url=url)
        return File(made, "text/calendar", "appointment.ics")

    return await answer(request, build)


async def own_data(request: Request) -> Response:
    """Everything held about a patient, as a ZIP."""

    def build(session: Any, actor: Actor) -> Print:
        made = privacy.export(session, actor, patient_id=handouts.number(request))
        return Print(made, "my-data.zip", "application/zip")

    return await answer(request, build, places=LONG)


async def document(request: Request) -> Response:
    """An invoice, a receipt or what else the ledger has under a number."""

    def build(session: Any, actor: Actor) -> Print:
        number = handouts.number(request)
        return Print(documents.to_print(session, actor, entry_id=number), f"document-{number}.pdf")

    return await answer(request, build)


async def audit_trail(request: Request) -> Response:
    """The entries of the audit trail that the address asks for, as CSV."""

    def build(session: Any, actor: Actor) -> File:
        made = trails.as_csv(session, actor, trails.from_query(request.query_params))
        return File(made, "text/csv; charset=utf-8", "audit-trail.csv")

    return await answer(request, build)


async def history(request: Request) -> Response:
    """The record of a patient: the sections and the period that the address asks for.

    What a page of this process has had laid out for the one who asks is given out as it is.
    """

    def build(session: Any, actor: Actor) -> Ready | Print:
        number = handouts.number(request)
        choices = history_choices.from_query(request.query_params)
        treatments.look(session, actor, patient_id=number)
        if file := HISTORIES.fetch(actor.user_id, (number, choices)):
            return Ready(file, "history.pdf")
        made = history_reports.to_print(session, actor, patient_id=number, **choices._asdict())
        return Print(made, "history.pdf")

    return await answer(request, build, places=LONG)


async def visit(request: Request) -> Response:
    """The summary of a visit."""

    def build(session: Any, actor: Actor) -> Print:
        number = handouts.number(request)
        return Print(visit_summaries.to_print(session, actor, appointment_id=number), f"visit-{number}.pdf")

    return await answer(request, build)


async def prescription(request: Request) -> Response:
    """A signed prescription."""

    def build(session: Any, actor: Actor) -> Print:
        number = handouts.number(request)
        made = prescription_pdfs.to_print(session, actor, prescription_id=number)
        return Print(made, f"prescription-{number}.pdf")

    return await answer(request, build)


async def letter(request: Request) -> Response:
    """A signed letter."""

    def build(session: Any, actor: Actor) -> Print:
        number = handouts.number(request)
        return Print(letter_pdfs.to_print(session, actor, letter_id=number), f"letter-{number}.pdf")

    return await answer(request, build)


async def ticket(request: Request) -> Response:
    """The ticket of a visit."""

    def build(session: Any, actor: Actor) -> Print:
        number = handouts.number(request)
        return Print(tickets.to_print(session, actor, appointment_id=number), f"ticket-{number}.pdf")

    return await answer(request, build)


async def day(request: Request) -> Response:
    """The list of a doctor's day."""

    def build(session: Any, actor: Actor) -> Print:
        number, on = handouts.number(request), handouts.day(request.path_params["day"])
        return Print(day_lists.to_print(session, actor, doctor_id=number, on=on), f"day-{on}.pdf")

    return await answer(request, build)


async def month(request: Request) -> Response:
    """The clinic's month in figures."""

    def build(session: Any, actor: Actor) -> Print:
        first_on = handouts.day(f"{request.path_params['month']}-01")
        made = monthly_reports.to_print(session, actor, year=first_on.year, month=first_on.month)
        return Print(made, f"month-{first_on:%Y-%m}.pdf")

    return await answer(request, build)


async def figure(request: Request) -> Response:
    """A figure of the view that the address asks for, as CSV."""

    def build(session: Any, actor: Actor) -> File:
        key, scope = request.path_params["key"], addresses.scope_of(request.query_params)
        made = figures.as_csv(session, actor, key=key, scope=scope)
        return File(made, "text/csv; charset=utf-8", f"{key}-{scope.from_on}-{scope.until_on}.csv")

    return await answer(request, build)


async def figure_visits(request: Request) -> Response:
    """The visits behind a row of a figure, of the view that the address asks for, as CSV."""

    def build(session: Any, actor: Actor) -> File:
        key, scope = request.path_params["key"], addresses.scope_of(request.query_params)
        of = request.query_params.get("row", "")
        made = figure_lists.as_csv(session, actor, key=key, scope=scope, of=of)
        return File(made, "text/csv; charset=utf-8", f"{key}-visits-{scope.from_on}-{scope.until_on}.csv")

    return await answer(request, build, places=LONG)


async def figure_paper(request: Request) -> Response:
    """A figure or all figures of a page, of the view that the address asks for."""

    def build(session: Any, actor: Actor) -> Print:
        name, scope = request.path_params["name"], addresses.scope_of(request.query_params)
        made = figure_pdfs.to_print(session, actor, name=name, scope=scope)
        return Print(made, f"{name}-{scope.from_on}-{scope.until_on}.pdf")

    return await answer(request, build, places=LONG)


async def attachment(request: Request) -> Response:
    """A file of a record, as what it was found to be when it was added."""

    def build(session: Any, actor: Actor) -> File:
        found = attachments.content(session, actor, attachment_id=handouts.number(request))
        return File(found.content, found.kind.value, found.name)

    return await answer(request, build)


FILES = [
    Route("/files/appointments/{number}.ics", visit_calendar),
    Route("/files/my-data/{number}.zip", own_data),
    Route("/files/documents/{number}.pdf", document),
    Route("/files/audit.csv", audit_trail),
    Route("/files/history/{number}.pdf", history),
    Route("/files/visits/{number}.pdf", visit),
    Route("/files/prescriptions/{number}.pdf", prescription),
    Route("/files/tickets/{number}.pdf", ticket),
    Route("/files/letters/{number}.pdf", letter),
    Route("/files/days/{number}/{day}.pdf", day),
    Route("/files/months/{month}.pdf", month),
    Route("/files/figures/{key}.csv", figure),
    Route("/files/figures/{key}/visits.csv", figure_visits),
    Route("/files/figures/{name}.pdf", figure_paper),
    Route("/files/attachments/{number}", attachment),
]
