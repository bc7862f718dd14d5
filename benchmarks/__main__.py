"""Measure a large clinic: `python -m benchmarks [--only bookings|boards|figures|messages|pages|...]`."""

import argparse
import sys
from collections.abc import Callable

from benchmarks import (
    boards,
    bookings,
    figures,
    messages,
    pages,
    reports,
    sessions,
    slots,
    strandings,
)
from benchmarks.clinic import Clinic, large_clinic
from benchmarks.timing import Figure, table
from db.data_directories import ServerRefused

SECTIONS: dict[str, tuple[str, Callable[[Clinic], list[Figure]]]] = {
    "slots": ("Free time, as times the bare reads of hours and visits", slots.measure),
    "bookings": ("Bookings a second, as a share of bare psycopg's", bookings.measure),
    "messages": ("Messages a second, as a share of the bare claims'", messages.measure),
    "sessions": ("The session check of every run and click, over one bare row", sessions.measure),
    "reports": ("A long history on paper, as times a bare document of ReportLab's", reports.measure),
    "strandings": ("Visits that no hours cover, as times the bare read of those ahead", strandings.measure),
    "boards": ("The board of 40 doctors and 600 visits", boards.measure),
    "figures": ("Dashboards of two years, over an empty page", figures.measure),
    "pages": ("Page scripts, over an empty page", pages.measure),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, help="measure this alone")
    parser.add_argument("--doctors", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--appointments", type=int, default=1_000_000, metavar="N", help="default: 1000000")
    arguments = parser.parse_args()
    try:
        with large_clinic(arguments.doctors, arguments.appointments) as clinic:
            print(f"{arguments.doctors:,} doctors and {arguments.appointments:,} appointments.")
            print("Ours and the baseline take turns. best: both fastest runs; typical: median of the pairs.")
            for name, (title, measure) in SECTIONS.items():
                if arguments.only in {None, name}:
                    print(table(title, measure(clinic)), flush=True)
    except ServerRefused as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
