"""My record: lists, visits with released notes, prescriptions, letters and files, to read and download."""

import streamlit as st

from core import clinics, patients, records
from core.i18n import _
from db.models import Role
from pages.ui import choice, reading, require
from pages.ui.records import papers_of, show_record

actor = require(Role.PATIENT)

st.title(_("My record"))
with reading() as session:
    zone = clinics.zone(session)
    people = patients.own(session, actor)
if not people:
    st.info(_("There is no record of yours yet."), icon=":material/folder_off:")
    st.stop()
patient_id = people[0].id
if len(people) > 1:
    named = {each.id: each.name for each in people}
    patient_id = choice(_("Whose record?"), named, key="my_record_patient") or patient_id
with reading() as session:
    record = records.open_record(session, actor, patient_id=patient_id)
    papers = papers_of(session, actor, patient_id=patient_id)
st.caption(_("Notes are shown once your doctor has released them. What is wrong, please tell your doctor."))
show_record(actor, record, papers, zone)
