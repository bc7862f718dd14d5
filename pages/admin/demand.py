"""Demand: how far ahead people book, what they look for in vain, and what the waitlist brings back."""

from db.models import Role
from pages.ui import require
from pages.ui.dashboards import dashboard

actor = require(Role.ADMIN)

dashboard(actor, "demand")
