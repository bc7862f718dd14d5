"""No-shows: visits to which nobody came, and what they cost."""

from db.models import Role
from pages.ui import require
from pages.ui.dashboards import dashboard

actor = require(Role.ADMIN)

dashboard(actor, "missed")
