"""Utilisation: how much of the time that doctors offer is taken."""

from db.models import Role
from pages.ui import require
from pages.ui.dashboards import dashboard

actor = require(Role.ADMIN)

dashboard(actor, "utilisation")
