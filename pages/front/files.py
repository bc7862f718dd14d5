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
    history_reports,
    letter_pdfs,
    monthly_reports,
    prescription_pdfs,
    privacy,
    tickets,
    trails,
    visit_summaries,
)
from core.access import Actor
from db.config import config
from pages.front import handouts
from pages.front.handouts import File, answer

PDF = "application/pdf"


async def visit_calendar(request: Request) -> Response:
    """The .ics of a visit."""

    def build(session: Any, actor: Actor) -> File:
        number, url = handouts.number(request), config().public_url
        made = calendars.visit_ics(session, actor, appointment_id=number, public_url=url)
        return File(made, "text/calendar", "appointment.ics")

    return await answer(request, build)


async def own_data(request: Request) -> Response:
    """Everything held about a patient, as a ZIP."""

    def build(session: Any, actor: Actor) -> File:
        made = privacy.export(session, actor, patient_id=handouts.number(request))
        return File(made, "application/zip", "my-data.zip")

    return await answer(request, build)


async def document(request: Request) -> Response:
    """An invoice, a receipt or what else the ledger has under a number."""

    def build(session: Any, actor: Actor) -> File:
        number = handouts.number(request)
        return File(documents.as_pdf(session, actor, entry_id=number), PDF, f"document-{number}.pdf")

    return await answer(request, build)


async def audit_trail(request: Request) -> Response:
    """The entries of the audit trail that the address asks for, as CSV."""

    def build(session: Any, actor: Actor) -> File:
        made = trails.as_csv(session, actor, trails.from_query(request.query_params))
        return File(made, "text/csv; charset=utf-8", "audit-trail.csv")

    return await answer(request, build)


async def history(request: Request) -> Response:
    """The record of a patient: the sections and the period that the address asks for."""

    def build(session: Any, actor: Actor) -> File:
        number = handouts.number(request)
        wanted = history_reports.from_query(request.query_params)
        return File(history_reports.as_pdf(session, actor, patient_id=number, **wanted), PDF, "history.pdf")

    return await answer(request, build)


async def visit(request: Request) -> Response:
    """The summary of a visit."""

    def build(session: Any, actor: Actor) -> File:
        number = handouts.number(request)
        return File(visit_summaries.as_pdf(session, actor, appointment_id=number), PDF, f"visit-{number}.pdf")

    return await answer(request, build)


async def prescription(request: Request) -> Response:
    """A signed prescription."""

    def build(session: Any, actor: Actor) -> File:
        number = handouts.number(request)
        made = prescription_pdfs.as_pdf(session, actor, prescription_id=number)
        return File(made, PDF, f"prescription-{number}.pdf")

    return await answer(request, build)


async def letter(request: Request) -> Response:
    """A signed letter."""

    def build(session: Any, actor: Actor) -> File:
        number = handouts.number(request)
        return File(letter_pdfs.as_pdf(session, actor, letter_id=number), PDF, f"letter-{number}.pdf")

    return await answer(request, build)


async def ticket(request: Request) -> Response:
    """The ticket of a visit."""

    def build(session: Any, actor: Actor) -> File:
        number = handouts.number(request)
        return File(tickets.as_pdf(session, actor, appointment_id=number), PDF, f"ticket-{number}.pdf")

    return await answer(request, build)


async def day(request: Request) -> Response:
    """The list of a doctor's day."""

    def build(session: Any, actor: Actor) -> File:
        number, on = handouts.number(request), handouts.day(request.path_params["day"])
        return File(day_lists.as_pdf(session, actor, doctor_id=number, on=on), PDF, f"day-{on}.pdf")

    return await answer(request, build)


async def month(request: Request) -> Response:
    """The clinic's month in figures."""

    def build(session: Any, actor: Actor) -> File:
        first_on = handouts.day(f"{request.path_params['month']}-01")
        made = monthly_reports.as_pdf(session, actor, year=first_on.year, month=first_on.month)
        return File(made, PDF, f"month-{first_on:%Y-%m}.pdf")

    return await answer(request, build)


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
    Route("/files/attachments/{number}", attachment),
]
