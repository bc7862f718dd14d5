"""The guard in front of one page of the tests' own: see `page.py`."""

import streamlit as st
from starlette.middleware import Middleware

from pages.front.failures import report_error
from pages.front.guard import Guard
from pages.front.routes import ROUTES
from pages.front.serving import tell_streamlit
from pages.front.watch import watching

tell_streamlit()

app = st.App(
    "page.py",
    routes=ROUTES,
    lifespan=watching,
    middleware=[Middleware(Guard)],
    on_script_error=report_error,
)
