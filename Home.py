"""The entry page: who is here, and the pages for their role."""

import streamlit as st

st.title("Clinic")
