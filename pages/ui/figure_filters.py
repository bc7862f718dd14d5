"""The bar above figures: period, doctor, service, place and step.

The address keeps what is chosen, so that a view can be sent to somebody, reloaded and gone back to. It goes
along to the next page of figures, whose address says nothing yet.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import streamlit as st

from core.analytics import addresses
from core.analytics.addresses import ViewUnreadable
from core.analytics.scopes import Scope, Step
from core.errors import ClinicError
from core.figure_filters import Filters
from core.i18n import N_, _
from pages.ui.choices import choice
from pages.ui.words import plain

_DAY = timedelta(days=1)
_OWN_DAYS = "own"
_VIEW = "figures_view"  # as the address had it on the page of figures before
PERIODS = {
    "today": N_("Today"),
    "week": N_("Last 7 days"),
    "days": N_("Last 30 days"),
    "month": N_("This month"),
    "last_month": N_("Last month"),
    "months": N_("Last 12 months"),
    "year": N_("This year"),
    _OWN_DAYS: N_("Own days"),
}
STEPS = {Step.DAY: N_("Day"), Step.WEEK: N_("Week"), Step.MONTH: N_("Month")}
_EARLIEST, _LATEST = date(1900, 1, 1), date(2200, 12, 31)


class Bar(NamedTuple):
    """What can be chosen on a page: of `doctor_id` alone where the page is that doctor's."""

    known: Filters
    today: date
    doctor_id: int | None = None


def period(name: str, today: date) -> tuple[date, date]:
    """The first and the last day of a period by its name."""
    first_on = today.replace(day=1)
    month_ends = (first_on + 31 * _DAY).replace(day=1) - _DAY
    return {
        "today": (today, today),
        "week": (today - 6 * _DAY, today),
        "days": (today - 29 * _DAY, today),
        "month": (first_on, month_ends),
        "last_month": ((first_on - _DAY).replace(day=1), first_on - _DAY),
        "months": ((first_on - 320 * _DAY).replace(day=1), today),  # in the midst of eleven months ago
        "year": (today.replace(month=1, day=1), today.replace(month=12, day=31)),
    }[name]


def filter_bar(bar: Bar) -> Scope:
    """Draw the fields, and give the scope that the address asks for."""
    scope = _asked(bar)
    _fill_in(scope, bar.today)
    with st.container(horizontal=True, key="figures_bar"):
        _period(bar, scope)
        _narrowing(bar)
    return scope


def _period(bar: Bar, scope: Scope) -> None:
    """Which days, and what they are cut into."""
    days = _days_key(scope)
    with st.container(horizontal=True, width="content"):
        choice(
            _("Period"),
            {name: _(words) for name, words in PERIODS.items()},
            key="figures_period",
            on_change=_take_period,
            args=(bar,),
            width=150,
        )
        st.date_input(
            _("From and until"),
            (scope.from_on, scope.until_on),
            min_value=_EARLIEST,
            max_value=_LATEST,
            format="YYYY-MM-DD",
            key=days,
            on_change=_take_days,
            args=(bar, days),
            width=225,
        )
        steps = {step.value: _(words) for step, words in STEPS.items()}
        named = {"placeholder": _("As fits"), "key": "figures_step", "width": 130}
        choice(_("By"), steps, index=None, on_change=_apply, args=(bar,), **named)


def _narrowing(bar: Bar) -> None:
    """The fields beside the period, as wide as names are; what there is only one of is not asked."""
    known, anew = bar.known, {"index": None, "on_change": _apply, "args": (bar,), "width": 280}
    with st.container(horizontal=True, width="content"):
        if bar.doctor_id is None:
            named = {"placeholder": _("All doctors"), "key": "figures_doctor"}
            choice(_("Doctor"), known.doctors, **named, **anew)
        named = {"placeholder": _("All services"), "key": "figures_service"}
        choice(_("Service"), known.services, **named, **anew)
        if len(known.places) > 1:
            named = {"placeholder": _("All places"), "key": "figures_place"}
            choice(_("Place"), known.places, **named, **anew)


def _asked(bar: Bar) -> Scope:
    """The view in the address; where that cannot be read, one sentence and the last 30 days."""
    default = Scope(*period("days", bar.today), doctor_id=bar.doctor_id)
    given = st.query_params.to_dict()
    if not given and _VIEW in st.session_state:
        given = st.session_state[_VIEW]
        st.query_params.from_dict(given)
    if not given:
        return default
    try:
        scope = replace(addresses.scope_of(given), **_fixed(bar))
        _require_known(scope, bar.known)
    except ClinicError as error:
        st.warning(plain(str(error)), icon=":material/link_off:")
        st.session_state.pop(_VIEW, None)
        return default
    st.session_state[_VIEW] = given
    return scope


def _fixed(bar: Bar) -> dict[str, int]:
    """A doctor's own page is of no other, whatever the address says."""
    return {} if bar.doctor_id is None else {"doctor_id": bar.doctor_id}


def _require_known(scope: Scope, known: Filters) -> None:
    for number, named in (
        (scope.doctor_id, known.doctors),
        (scope.service_id, known.services),
        (scope.location_id, known.places),
    ):
        if number is not None and number not in named:
            raise ViewUnreadable


def _days_key(scope: Scope) -> str:
    """A field of its own for each period: one of which only the first day is chosen yet stays as it is."""
    return f"figures_days_{scope.from_on}_{scope.until_on}"


def _fill_in(scope: Scope, today: date) -> None:
    """Put the view into the fields, which the address may have changed."""
    days = (scope.from_on, scope.until_on)
    named = [name for name in PERIODS if name != _OWN_DAYS and period(name, today) == days]
    st.session_state["figures_period"] = (*named, _OWN_DAYS)[0]
    st.session_state["figures_doctor"] = scope.doctor_id
    st.session_state["figures_service"] = scope.service_id
    st.session_state["figures_place"] = scope.location_id
    st.session_state["figures_step"] = scope.step.value if scope.step else None


def _take_period(bar: Bar) -> None:
    name = st.session_state["figures_period"]
    if name != _OWN_DAYS:
        _apply(bar, period(name, bar.today))


def _take_days(bar: Bar, key: str) -> None:
    """Once both days are there."""
    if len(days := st.session_state[key]) == 2:
        _apply(bar, days)


def _apply(bar: Bar, days: tuple[date, date] | None = None) -> None:
    """Put what is chosen into the address; what cannot be is said once that is read."""
    asked = st.query_params.get
    from_on, until_on = days or period("days", bar.today)
    given = {"from": from_on.isoformat(), "until": until_on.isoformat()}
    if days is None:  # only something else than the period was chosen
        given = {name: asked(name, default) for name, default in given.items()}
    fields = {"doctor": "doctor", "service": "service", "place": "place", "by": "step"}
    for name, field in fields.items():
        if (chosen := st.session_state.get(f"figures_{field}")) is not None:
            given[name] = str(chosen)
    st.query_params.from_dict(given)
