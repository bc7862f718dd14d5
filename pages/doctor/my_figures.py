"""My figures: a doctor's own visits, money, time and no-shows."""

from core.figure_dashboards import OWN
from db.models import Role
from pages.ui import require
from pages.ui.dashboards import dashboard

actor = require(Role.DOCTOR)

dashboard(actor, OWN, doctor_id=actor.doctor_id)
