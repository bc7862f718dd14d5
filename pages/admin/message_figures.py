"""Message figures: what was sent, what arrived, what was answered, and in how many segments."""

from db.models import Role
from pages.ui import require
from pages.ui.dashboards import dashboard

actor = require(Role.ADMIN)

dashboard(actor, "messages")
