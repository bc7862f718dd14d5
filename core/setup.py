"""The first row of a real clinic and the person who runs it: `python -m core.setup --help`."""

import argparse
import getpass
import sys
from zoneinfo import ZoneInfo, available_timezones

from babel.numbers import list_currencies
from sqlalchemy.orm import Session

from core import passwords
from core.errors import ClinicError
from core.i18n import N_
from db.models import ClinicSettings, Role, User
from db.session import require_reachable, unit_of_work

PASSWORD_LENGTHS = range(12, 129)


class AlreadySetUp(ClinicError):
    message = N_("This database holds a clinic already.")


class UnknownZone(ClinicError):
    message = N_("{zone} is not a time zone. Name one such as Europe/Berlin.")


class UnknownCurrency(ClinicError):
    message = N_("{currency} is not a currency. Name one by its ISO 4217 code, such as EUR.")


class NameMissing(ClinicError):
    message = N_("Please name the clinic and its first administrator.")


class PasswordLength(ClinicError):
    message = N_("Please choose a password of {least} to {most} characters.")


def found_clinic(
    session: Session, *, name: str, zone: str, currency: str, phone: str, admin: str, password: str
) -> ClinicSettings:
    """Write the settings of an empty database's clinic, and the account `admin` that runs it.

    Asks no actor: there is nobody yet, and whoever holds DATABASE_URL may. Raises `AlreadySetUp`,
    `NameMissing`, `UnknownZone`, `UnknownCurrency`, `PasswordLength`.
    """
    if session.get(ClinicSettings, 1) is not None:
        raise AlreadySetUp
    if not name.strip() or not admin.strip():
        raise NameMissing
    if zone not in available_timezones():
        raise UnknownZone(zone=zone)
    if currency not in list_currencies():
        raise UnknownCurrency(currency=currency)
    if len(password) not in PASSWORD_LENGTHS:
        raise PasswordLength(least=PASSWORD_LENGTHS.start, most=PASSWORD_LENGTHS.stop - 1)
    clinic = ClinicSettings(name=name, time_zone=ZoneInfo(zone).key, currency=currency, phone=phone)
    account = User(
        username=admin.strip().lower(), name=admin, role=Role.ADMIN, password_hash=passwords.hashed(password)
    )
    session.add_all([clinic, account])
    session.flush()
    return clinic


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.setup", description=__doc__)
    parser.add_argument("--name", required=True, help="the clinic's name")
    parser.add_argument("--zone", required=True, help="its time zone, such as Europe/Berlin")
    parser.add_argument("--currency", required=True, help="its currency, such as EUR")
    parser.add_argument("--phone", default="", help="the number patients call, such as +493012345")
    parser.add_argument("--admin", required=True, help="the user name of the first administrator")
    wanted = parser.parse_args()
    require_reachable()
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        with unit_of_work() as session:
            found_clinic(session, **vars(wanted), password=password)
    except ClinicError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
