"""The first row of a real clinic and the person who runs it: `python -m core.setup --help`."""

import argparse
import getpass
import sys
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.orm import Session

from core import audit, clinics, passwords
from core.errors import ClinicError
from core.i18n import N_
from core.startup import require_schema
from db.models import ClinicSettings, Role, User
from db.session import unit_of_work


class AlreadySetUp(ClinicError):
    message = N_("This database holds a clinic already.")


class UnknownZone(ClinicError):
    message = N_("{zone} is not a time zone. Name one such as Europe/Berlin.")


class UnknownCurrency(ClinicError):
    message = N_("{currency} is not a currency. Name one by its ISO 4217 code, such as EUR.")


class NameMissing(ClinicError):
    message = N_("Please name the clinic and its first administrator.")


def found_clinic(
    session: Session, *, name: str, zone: str, currency: str, phone: str, admin: str, password: str
) -> ClinicSettings:
    """Write the settings of an empty database's clinic, and the account `admin` that runs it.

    Asks no actor: there is nobody yet, and whoever holds DATABASE_URL may. Raises `AlreadySetUp`,
    `NameMissing`, `UnknownZone`, `UnknownCurrency`, `PasswordLength`, `PasswordCommon`.
    """
    if session.get(ClinicSettings, 1) is not None:
        raise AlreadySetUp
    if not name.strip() or not admin.strip():
        raise NameMissing
    if zone not in available_timezones():
        raise UnknownZone(zone=zone)
    if currency not in clinics.currencies():
        raise UnknownCurrency(currency=currency)
    passwords.require_acceptable(password, about=(name, admin))
    clinic = ClinicSettings(name=name, time_zone=ZoneInfo(zone).key, currency=currency, phone=phone)
    account = User(
        username=admin.strip().lower(), name=admin, role=Role.ADMIN, password_hash=passwords.hashed(password)
    )
    session.add_all([clinic, account])
    session.flush()
    audit.record(session, None, audit.Event.CLINIC_FOUNDED, kind="user", number=account.id)
    return clinic


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m core.setup", description="Set up an empty database for a clinic."
    )
    parser.add_argument("--name", required=True, help="the clinic's name")
    parser.add_argument("--zone", required=True, help="its time zone, such as Europe/Berlin")
    parser.add_argument("--currency", required=True, help="its currency, such as EUR")
    parser.add_argument("--phone", default="", help="the number patients call, such as +493012345")
    parser.add_argument("--admin", required=True, help="the user name of the first administrator")
    wanted = parser.parse_args()
    require_schema()
    password = _asked_password() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        with unit_of_work() as session:
            found_clinic(session, **vars(wanted), password=password)
    except ClinicError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{wanted.name} is set up. Sign in as {wanted.admin.strip().lower()}.\n")


def _asked_password() -> str:
    """The password, asked for twice: nobody else could let the first administrator in."""
    password = getpass.getpass()
    if getpass.getpass("The same again: ") != password:
        sys.exit("These are two different passwords.")
    return password


if __name__ == "__main__":
    main()
