"""How somebody is told about visits, on the screen: what is wished, and what comes of it."""

from zoneinfo import available_timezones

import streamlit as st

from core import clinics, contact_preferences, phone_states
from core.access import Actor
from core.contact_preferences import Preferences
from core.i18n import N_, _
from core.phones import shown
from db.models import Channel
from pages.ui.actions import perform
from pages.ui.refusals import reading
from pages.ui.words import plain

EITHER = "either"
CHOICES = {
    EITHER: N_("By text if possible, else by email"),
    Channel.SMS.value: N_("By text"),
    Channel.EMAIL.value: N_("By email"),
}
WHY_NOT = {
    "no number": N_("There is no phone number and no email address yet."),
    "no address": N_("There is no phone number and no email address yet."),
    "no consent": N_("Texts are not agreed to, and there is no email address."),
    "opted out": N_("The number wants no texts, and there is no email address."),
    "unproven": N_(
        "The number has not been confirmed yet, and there is no email address. A code by text, asked for on "
        "the page Profile, confirms it."
    ),
    "unreachable": N_("Texts do not arrive at the number, and there is no email address."),
}


def preferences_form(actor: Actor, patient_id: int) -> None:
    """What a patient wishes, to be changed by the person or, as they ask for it, by the desk."""
    with reading() as session:
        wishes = contact_preferences.of(session, actor, patient_id=patient_id)
        clinic_zone = clinics.settings(session).time_zone
    _say_what_comes_of_it(actor, wishes)
    prefix = f"contacts_{patient_id}_"
    with st.form(f"{prefix}form"):
        st.radio(
            _("How to be told"),
            list(CHOICES),
            index=list(CHOICES).index(wishes.contact_by.value if wishes.contact_by else EITHER),
            format_func=lambda choice: _(CHOICES[choice]),
            key=f"{prefix}by",
        )
        st.checkbox(
            _("Texts about visits are welcome at {phone}").format(phone=shown(wishes.phone))
            if wishes.phone
            else _("Texts about visits are welcome (there is no phone number yet)"),
            value=wishes.wants_texts,
            disabled=not wishes.phone,
            help=_("Phone companies may charge for texts. They can be ended at any time by texting STOP."),
            key=f"{prefix}texts",
        )
        st.checkbox(_("Reminders before visits"), value=wishes.wants_reminders, key=f"{prefix}reminders")
        zones = [clinic_zone, *sorted(available_timezones() - {clinic_zone})]
        st.selectbox(
            _("Time zone, for the hours of the night in which nothing is sent"),
            zones,
            index=zones.index(wishes.time_zone or clinic_zone),
            key=f"{prefix}zone",
        )
        st.form_submit_button(_("Save"), type="primary", on_click=_save, args=(patient_id, clinic_zone))
    if wishes.is_unreachable and wishes.phone and actor.is_desk:
        st.button(
            _("Texts arrive there again: try"),
            on_click=_try_again,
            args=(wishes.phone,),
            key=f"{prefix}again",
        )


def _say_what_comes_of_it(actor: Actor, wishes: Preferences) -> None:
    if wishes.has_opted_out:
        st.warning(
            _(
                "Texts to {phone} were stopped by a text from there. To get them again, text START to us."
            ).format(phone=plain(shown(wishes.phone or ""))),
            icon=":material/notifications_off:",
        )
    if wishes.reached_by is None:
        said = WHY_NOT.get(wishes.why_not, N_("Nothing can be sent yet."))
        st.warning(_(said), icon=":material/notifications_off:")
    elif wishes.reached_by is Channel.SMS:
        told = _("Messages go by text to {phone}.").format(phone=plain(shown(wishes.sent_to)))
        st.success(told, icon=":material/sms:")
    else:
        told = _("Messages go by email to {address}.").format(address=plain(wishes.sent_to))
        st.success(told, icon=":material/mail:")


def _save(patient_id: int, clinic_zone: str) -> None:
    prefix = f"contacts_{patient_id}_"
    chosen, zone = st.session_state.get(f"{prefix}by"), st.session_state.get(f"{prefix}zone")
    perform(
        contact_preferences.save,
        patient_id=patient_id,
        contact_by=None if chosen == EITHER else chosen,
        wants_texts=bool(st.session_state.get(f"{prefix}texts")),
        wants_reminders=bool(st.session_state.get(f"{prefix}reminders")),
        time_zone=None if zone == clinic_zone else zone,
        done=N_("Saved."),
    )


def _try_again(phone: str) -> None:
    perform(phone_states.try_again, phone=phone, done=N_("Texts are sent there again."))
