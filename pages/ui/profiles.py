"""A doctor's profile on the screen: the photo, what is said, and how it will look to patients."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.i18n import _, money, span
from core.languages import language_name
from core.profile_drafts import Profile
from db.models import Doctor, Service
from pages.ui.sessions import has_cookie
from pages.ui.words import plain

_NEW = "/photos/drafts/{number}"
_PUBLISHED = "/photos/{number}"


def photo(doctor_id: int, name: str, *, side: int, is_new: bool = False, version: str = "") -> None:
    """A photo cut to a square of so many pixels; nothing where our addresses could not tell who asks."""
    if not has_cookie():
        return
    address = (_NEW if is_new else _PUBLISHED).format(number=doctor_id)
    words = escape(_("Photo of {doctor}").format(doctor=name), quote=True)
    style = f"width:{side}px;height:{side}px;object-fit:cover;border-radius:0.5rem"
    st.html(f'<img src="{address}?{escape(version, quote=True)}" alt="{words}" style="{style}">')


def spoken(codes: Sequence[str]) -> str:
    """The languages of these codes, for a person to read."""
    return ", ".join(language_name(code) for code in codes)


def introduce(
    doctor: Doctor, offered: Sequence[tuple[Service, int]], currency: str, *, has_photo: bool
) -> None:
    """A doctor as patients are introduced to one: photo, words, languages, services and prices."""
    if has_photo:
        photo(doctor.id, doctor.user.name, side=160)
    st.title(plain(doctor.user.name))
    st.markdown(f"**{plain(', '.join(specialty.name for specialty in doctor.specialties))}**")
    if doctor.bio:
        st.text(doctor.bio)
    if doctor.languages:
        st.caption(_("Speaks {languages}").format(languages=spoken(doctor.languages)))
    if offered:
        _services_and_prices(offered, currency)


def _services_and_prices(offered: Sequence[tuple[Service, int]], currency: str) -> None:
    """What a doctor offers, how long it takes and what it costs."""
    with st.expander(_("Services and prices"), icon=":material/medical_services:"):
        for service, price in offered:
            about = f"  \n:gray[:small[{plain(service.description)}]]" if service.description else ""
            video = f" · {_('Video')}" if service.is_video else ""
            st.markdown(
                f"**{plain(service.name)}** · {span(service.duration_minutes)}{video} · "
                f"{plain(money(price, currency))}{about}"
            )


def published(profile: Profile) -> None:
    """What patients see now."""
    doctor = profile.doctor
    _shown(profile, doctor.bio, doctor.languages, has_photo=profile.has_photo, is_new=False)


def proposed(profile: Profile) -> None:
    """What they would see of the draft."""
    draft = profile.draft
    assert draft is not None  # noqa: S101 - its callers have seen that there is one
    keeps = profile.has_photo and not draft.removes_photo
    has_photo = profile.has_new_photo or keeps
    _shown(profile, draft.bio, draft.languages, has_photo=has_photo, is_new=profile.has_new_photo)


def _shown(profile: Profile, bio: str, languages: Sequence[str], *, has_photo: bool, is_new: bool) -> None:
    doctor, name = profile.doctor, profile.doctor.user.name
    if has_photo:
        photo(doctor.id, name, side=160, is_new=is_new, version=str(profile.seen or ""))
    else:
        st.caption(_("No photo."))
    if bio:
        st.text(bio)
    else:
        st.caption(_("Nothing is said about the doctor yet."))
    if languages:
        st.caption(_("Speaks {languages}").format(languages=spoken(languages)))
