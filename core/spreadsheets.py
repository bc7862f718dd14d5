"""Tables as CSV that any spreadsheet opens as it was meant."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate (OWASP, CSV injection)


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table in UTF-8 with a mark at its front by which spreadsheets know that it is.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers.
    """
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(headings)
    table.writerows([_cell(value) for value in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = "" if value is None else str(value)
    is_formula = text.startswith(_FORMULA) and not isinstance(value, int | float | Decimal)
    return f"'{text}" if is_formula else text
