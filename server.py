"""The portal as an ASGI application: `streamlit run server.py`."""

import streamlit as st

app = st.App("Home.py")
