"""What every table shares: constraint names, the type map, and how states are stored."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, DateTime, Enum, Integer, MetaData, Select, any_, func, literal
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: dict[Any, Any] = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's own shape


def stored_as_text(states: type[StrEnum], column: str = "") -> Enum:
    """A column type that stores a StrEnum's values as text, checked by the database.

    Where a table has several columns of the same states, `column` names the check of each.
    """
    return Enum(
        states,
        native_enum=False,
        create_constraint=True,
        length=20,
        name=f"{column or states.__name__.lower()}_known",
        values_callable=lambda members: [member.value for member in members],
    )


def among(column: InstrumentedAttribute[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """In a query: whether a column is one of these numbers, as one parameter, however many there are.

    A statement has 65,535 parameters at most, and `in_` makes one of each.
    """
    return column == any_(literal(list(numbers), ARRAY(Integer)))


def any_of(numbers: Select[Any]) -> Any:
    """What is found, as an array: with one the planner goes along an index, with a query it may read all."""
    return any_(func.array(numbers.scalar_subquery(), type_=ARRAY(Integer)))
