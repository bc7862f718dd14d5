"""Patient figures: who is new, who returns, and who comes back in which month."""

from db.models import Role
from pages.ui import require
from pages.ui.dashboards import dashboard

actor = require(Role.ADMIN)

dashboard(actor, "patients")
