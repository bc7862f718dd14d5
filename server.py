"""The portal as an ASGI application: `streamlit run server.py`.

Around the Streamlit pages it puts a guard, and routes for what a page cannot do: see `pages/front`.
"""

import gc
import sys

import pandas.io.formats.style  # noqa: F401 - or else whoever opens the first table waits for it
import streamlit as st
from starlette.middleware import Middleware

from core.startup import require_ready
from core.traces import keep_values_out_of_logs
from db.config import config
from pages.front.failures import report_error
from pages.front.guard import Guard
from pages.front.landing import Landing
from pages.front.routes import ROUTES
from pages.front.serving import tell_streamlit, tell_uvicorn
from pages.front.traces import log
from pages.front.typing import Typing
from pages.front.watch import watching

require_ready()
if config().is_production and st.get_option("client.showErrorDetails") != "none":
    sys.exit("client.showErrorDetails must be none when CLINIC_ENV is production: it shows people the code.")
if config().is_plain_http:
    log.warning(
        "%s is not encrypted: anybody on the network can read along. Set up HTTPS.", config().public_url
    )
keep_values_out_of_logs()
tell_uvicorn()
tell_streamlit()
app = st.App(
    "Home.py",
    routes=ROUTES,
    lifespan=watching,
    middleware=[Middleware(Typing), Middleware(Guard), Middleware(Landing)],
    on_script_error=report_error,
)
gc.freeze()  # what the imports made stays for good: no collection need look at it again
