"""Which figures stand together on a page and in its PDF, under which name."""

from core import figures
from core.analytics import missed, revenue, utilisation
from core.analytics.shapes import Figure
from core.errors import NotFound
from core.i18n import N_

OWN = "own"  # of a doctor, for that doctor
TITLES = {
    "overview": N_("Overview"),
    "revenue": N_("Revenue"),
    "utilisation": N_("Utilisation"),
    "demand": N_("Demand"),
    "missed": N_("No-shows"),
    "patients": N_("Patient figures"),
    "messages": N_("Message figures"),
    OWN: N_("My figures"),
}
_OWN = (
    *(revenue.over_time, revenue.by_service, revenue.forecast),
    *(utilisation.over_time, utilisation.by_hour),
    *(missed.over_time, missed.by_hour),
)


def figures_of(name: str) -> tuple[Figure, ...]:
    """The figures of a page. Raises `NotFound`."""
    if name == OWN:
        return _OWN
    if name not in figures.DASHBOARDS:
        raise NotFound
    return figures.DASHBOARDS[name]


def named(name: str) -> tuple[str, tuple[Figure, ...]]:
    """The title and the figures of a page, or the one figure of a key under its page's title.

    Raises `NotFound`.
    """
    for page, found in figures.DASHBOARDS.items():
        for figure in found:
            if figure.key == name:
                return TITLES[page], (figure,)
    return TITLES.get(name, ""), figures_of(name)
