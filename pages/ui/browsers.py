"""What a browser is called, and whether it is a phone's, from how it describes itself."""

import streamlit as st

# Most browsers also claim to be the ones below them, so the order matters.
_BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}
LONGEST = 60


def browser_name(user_agent: str | None) -> str:
    """Browser and system in a few words, such as "Firefox, Windows"; the description itself when unknown."""
    told = user_agent or ""
    parts = [
        next((name for mark, name in names.items() if mark in told), None) for names in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(part for part in parts if part) or told[:LONGEST]


def is_on_phone() -> bool:
    """Whether the page is open on a small screen, as far as the browser says so (MDN: look for "Mobi")."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")
