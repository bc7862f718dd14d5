"""Revenue: what is booked, earned, received, paid back and owed, and what is to be expected."""

from db.models import Role
from pages.ui import require
from pages.ui.dashboards import dashboard

actor = require(Role.ADMIN)

dashboard(actor, "revenue")
