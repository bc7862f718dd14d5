"""From a click to the service layer and back: one transaction, one answer on the screen."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

import streamlit as st

from core import audit
from core.access import Actor
from core.audit import Event
from core.errors import AccessDenied, ClinicError
from core.i18n import _, day_and_time, use_locale
from core.offers import SlotTaken
from core.one_time_codes import CodeRefused
from core.throttles import TooManyTries
from db.models import Outcome
from db.session import unit_of_work
from pages.ui.refusals import keep_refusal
from pages.ui.sessions import acting, browsers_language
from pages.ui.slots import choose
from pages.ui.words import plain

Result = TypeVar("Result")


class Place(NamedTuple):
    """A page of the portal, and what its address says after the question mark."""

    page: str
    query: Mapping[str, str] = MappingProxyType({})


class Message(NamedTuple):
    """What the last click came to.

    `picker` is where the alternatives to a lost time can be chosen, `place` where the person is taken first.
    `error` is the kind of what stood in the way, if anything did.
    """

    is_good: bool
    text: str
    lost: SlotTaken | None = None
    picker: str = ""
    place: Place | None = None
    error: type[ClinicError] | None = None


def perform(
    service: Callable[..., Result],
    /,
    *,
    done: str,
    about: str = "",
    form: str | None = None,
    picker: str = "",
    then: str | Callable[[Result], Place] = "",
    trying: Callable[[Any, Actor], bool] | None = None,
    clear: Iterable[str] = (),
    **arguments: Any,
) -> Result | None:
    """Call a service that writes, as whoever is signed in now; its result, None when it was refused.

    The only place that opens a write transaction for a click of somebody signed in. The outcome is kept for
    `show_messages`: `done`, marked with `N_` and translated here because callbacks run before anybody's
    language is known, with `about` for its `{about}`. A form that was done gets a new key, and the page
    `then` follows, or the place that it names once it is given the result. Where `done` is empty that page
    says what there is to say.

    A password or code that could be guessed has `trying` count the try first, in a transaction that stays
    whatever becomes of it. The fields `clear` are emptied once all went well, never before.
    """
    use_locale(st.session_state.get("locale") or browsers_language())
    result = None
    try:
        if trying is not None:
            _count_try(lambda session: _is_over_for(_acting(session), trying, session))
        with unit_of_work() as session:
            actor = _acting(session)
            if actor is not None:
                result = service(session, actor, **arguments)
                st.session_state.pop("unsettled_counted", None)  # whatever was done may have left one
    except ClinicError as error:
        if isinstance(error, AccessDenied):
            keep_refusal(error)
        lost = error if isinstance(error, SlotTaken) else None
        st.session_state["message"] = Message(False, str(error), lost, picker, error=type(error))
        return None
    if actor is None:
        st.session_state["message"] = Message(False, _("You have been signed out. Please sign in again."))
        return None
    place = _place(then, result)
    st.session_state["message"] = Message(True, _(done).format(about=about) if done else "", place=place)
    if form is not None:
        st.session_state.pop(f"{form}_form_key", None)
    _empty(clear)
    return result


def perform_quietly(service: Callable[..., Result], /, **arguments: Any) -> tuple[Result | None, Message]:
    """Do what `perform` does for something that saves by itself, and leave it to the caller to say so."""
    waiting = st.session_state.pop("message", None)
    result = perform(service, done="", **arguments)
    came_to: Message = st.session_state.pop("message")
    if waiting is not None:
        st.session_state["message"] = waiting
    return result, came_to


def _place(then: str | Callable[[Any], Place], result: Any) -> Place | None:
    if isinstance(then, str):
        return Place(then) if then else None
    return then(result)


def say(text: str) -> None:
    """Say `text` instead of what the click that was just done would have said by itself."""
    st.session_state["message"] = Message(True, text)


def perform_signed_out(
    service: Callable[..., Result],
    /,
    *,
    done: str,
    trying: Callable[..., bool],
    clear: Iterable[str] = (),
    then: str = "",
    **arguments: Any,
) -> bool:
    """Call a service that writes for somebody who is not signed in; whether it was done.

    The twin of `perform` for registering, resetting a password and accepting an invite: `trying` counts the
    try from this address first, since anybody can press such a button.
    """
    use_locale(st.session_state.get("locale") or browsers_language())
    try:
        _count_try(lambda session: trying(session, address=st.context.ip_address))
        with unit_of_work() as session:
            service(session, **arguments)
    except ClinicError as error:
        if isinstance(error, CodeRefused | TooManyTries):
            _keep_wrong_code(error)
        st.session_state["message"] = Message(False, str(error))
        return False
    st.session_state["message"] = Message(True, _(done), place=_place(then, None))
    _empty(clear)
    return True


def _keep_wrong_code(error: ClinicError) -> None:
    """Note in the trail that somebody signed out gave a code in vain, or too often; whose is not known."""
    event = Event.CODE_REFUSED if isinstance(error, CodeRefused) else Event.TOO_MANY_TRIES
    with unit_of_work() as session:
        audit.record(
            session, None, event, kind="code", outcome=Outcome.REFUSED, address=st.context.ip_address
        )


def _count_try(is_over: Callable[[Any], bool]) -> None:
    """Raise `TooManyTries` unless the try that is counted here is let through."""
    with unit_of_work() as session:
        too_many = is_over(session)
    if too_many:
        raise TooManyTries


def _is_over_for(actor: Actor | None, trying: Callable[[Any, Actor], bool], session: Any) -> bool:
    return actor is not None and trying(session, actor)


def _acting(session: Any) -> Actor | None:
    """Who is signed in now; their language is spoken from here on."""
    actor = acting(session)
    if actor is not None:
        use_locale(actor.locale)
    return actor


def _empty(fields: Iterable[str]) -> None:
    for field in fields:
        kept = st.session_state.get(field)
        # What was chosen of a list may be a text too: there nothing is chosen then.
        st.session_state[field] = "" if type(kept) is str else False if isinstance(kept, bool) else None


def form_key(form: str) -> UUID:
    """The key of a form as it is drawn: the same until it was done, so that a double click counts once."""
    name = f"{form}_form_key"
    key: UUID | None = st.session_state.get(name)
    if key is None:  # making one costs more than drawing what it is for
        key = st.session_state[name] = uuid4()
    return key


def show_messages() -> None:
    """Say what the last click came to, once, with the times that are left when one was lost.

    It stands at the foot of the screen, where it is seen wherever one has scrolled to.
    """
    message: Message | None = st.session_state.pop("message", None)
    if message is None:
        return
    if message.place is not None:
        st.session_state["message"] = message._replace(place=None)
        st.switch_page(message.place.page, query_params=dict(message.place.query))
    if not message.text:
        return
    with st.bottom:
        if message.is_good:
            st.success(plain(message.text), icon=":material/check_circle:")
        elif message.lost is None:
            st.error(plain(message.text), icon=":material/error:")
        else:
            _offer_alternatives(message.lost, message.picker)


def _offer_alternatives(lost: SlotTaken, picker: str) -> None:
    st.warning(_("That time has just been taken. Nothing was booked or changed."), icon=":material/schedule:")
    if not lost.alternatives:
        st.write(_("This doctor has no other free time for it."))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.write(_("Still free nearby:"))
        for at in lost.alternatives:
            st.button(
                day_and_time(at, lost.zone),
                key=f"alternative_{at.isoformat()}",
                on_click=choose,
                args=(picker, at, lost.zone),
            )
