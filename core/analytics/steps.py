"""The steps of a scope as the database is asked for them, by instants of a column."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, DateTime, cast, func
from sqlalchemy.orm import Session

from core import clinics, day_parts
from core.analytics.scopes import Scope


def bounds(session: Session, scope: Scope) -> tuple[datetime, datetime]:
    """The first instant of a scope, and the first after it."""
    zone = clinics.zone(session)
    return day_parts.bounds_of(zone, scope.from_on)[0], day_parts.bounds_of(zone, scope.until_on)[1]


def within(session: Session, scope: Scope, at: Any) -> tuple[ColumnElement[bool], ...]:
    """That the instant of a column lies in the scope."""
    begins_at, ends_at = bounds(session, scope)
    return (at >= begins_at, at < ends_at)


def number(session: Session, scope: Scope, at: Any) -> ColumnElement[int]:
    """In which of `scope.steps()` the instant of a column lies, counted from 1."""
    zone = clinics.zone(session)
    begins = [day_parts.bounds_of(zone, step)[0] for step in scope.steps()]
    return func.width_bucket(at, cast(begins, ARRAY(DateTime(timezone=True))))
