"""The audit trail: who did or read what, whose, when and from where; refusals too.

An entry is written in the transaction of what it tells, and sealed when that commits: the database adds its
hash to a chain (`db.models.audit`), and `python -m core.audit verify` finds what was altered or taken away.
Ids stand in it, never names or words about somebody's health.
"""

import argparse
import logging
import sys
from datetime import timedelta
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clock
from core.access import Actor
from core.errors import AccessDenied
from core.startup import require_schema
from db.models import Appointment, Outcome
from db.session import run, unit_of_work

log = logging.getLogger(__name__)

READ_AGAIN = timedelta(minutes=10)  # a page that draws itself again is one look at a record


class Event(StrEnum):
    """What happens to an account, or by itself, rather than by the access table."""

    SIGN_IN = "sign in"
    SIGN_IN_FAILED = "sign in failed"
    SIGN_OUT = "sign out"
    REGISTER = "register"
    VERIFY = "verify an address"
    PASSWORD_CHANGED = "change the password"  # noqa: S105 - an event, not a password
    PASSWORD_RESET = "reset the password"  # noqa: S105
    SECOND_FACTOR_ON = "turn the second factor on"
    SECOND_FACTOR_OFF = "turn the second factor off"
    RECOVERY_CODE_USED = "use a recovery code"
    IDENTITY_LINKED = "link another sign-in"
    IDENTITY_UNLINKED = "unlink another sign-in"
    PROFILE_CHANGED = "change the profile"
    INVITE_ACCEPTED = "accept an invite"
    ROLE_CHANGED = "change a role"
    ACTIVATED = "activate an account"
    DEACTIVATED = "deactivate an account"
    SESSIONS_ENDED = "end sessions"
    HOLD_EXPIRED = "let a held time go"
    HOLD_CONFIRMED = "confirm a held time"
    PAID_ONLINE = "pay online: received"
    PAYMENT_ASKED = "send a link to pay"
    TICKET_SENT = "send a ticket"
    INVOICED = "issue an invoice"
    ATTENDING = "say that one comes"
    NO_SHOW = "note a missed visit"
    STEP_UNDONE = "undo a step at the desk"
    VISIT_KEPT = "keep a visit outside the hours"
    CHOICE_SENT = "offer other times for a visit"
    CHOICE_TAKEN = "choose another time for a visit"
    TIME_OFFERED = "offer a time from the waitlist"
    OFFER_ACCEPTED = "accept an offered time"
    OFFER_ENDED = "end an offer"
    TEXTS_STOPPED = "stop texts to a number"
    TEXTS_RESUMED = "allow texts to a number again"
    REFUND_SENT = "pay back: sent"
    REFUND_FAILED = "pay back: failed"
    RECORD_EXPIRED = "erase a record whose years are over"
    CODE_REFUSED = "code refused"
    TOO_MANY_TRIES = "too many tries"
    CLINIC_FOUNDED = "found the clinic"
    SETTINGS_CHANGED = "change the settings"
    FORBIDDEN = "something forbidden"


_INSERT = """
    INSERT INTO audit_entries (at, user_id, role, action, outcome, object_kind, object_id, patient_id,
                               for_another, address, detail)
    VALUES (%(at)s, %(user_id)s, %(role)s, %(action)s, %(outcome)s, %(object_kind)s, %(object_id)s,
            %(patient_id)s, %(for_another)s, %(address)s, %(detail)s)
    RETURNING id
"""
_SEEN = """
    SELECT EXISTS (
        SELECT FROM audit_entries
        WHERE user_id = %(user_id)s AND at > %(since)s AND action = %(action)s
        AND object_kind = %(object_kind)s AND object_id = %(object_id)s AND outcome = 'done')
"""
_FAULTS = text("""
    WITH linked AS (
        SELECT link.chain, link.number, link.entry_id, link.hash, entry,
               lag(link.number, 1, CAST(0 AS bigint)) OVER along AS number_before,
               lag(link.hash, 1, sha256(CAST('' AS bytea))) OVER along AS hash_before
        FROM audit_links link LEFT JOIN audit_entries entry ON entry.id = link.entry_id
        WINDOW along AS (PARTITION BY link.chain ORDER BY link.number)
    )
    SELECT entry_id, 'missing' AS fault FROM linked WHERE (entry).id IS NULL
    UNION ALL
    SELECT entry_id, 'altered' FROM linked
    WHERE (entry).id IS NOT NULL AND audit_hash(entry, hash_before) <> hash
    UNION ALL
    SELECT entry_id, 'links missing before it' FROM linked WHERE number <> number_before + 1
    UNION ALL
    SELECT entry.id, 'not sealed'
    FROM audit_entries entry LEFT JOIN audit_links link ON link.entry_id = entry.id
    WHERE link.entry_id IS NULL
    UNION ALL
    SELECT NULL, 'the end of chain ' || chain.chain || ' is missing'
    FROM audit_chains chain LEFT JOIN LATERAL (
        SELECT number, hash FROM audit_links
        WHERE audit_links.chain = chain.chain ORDER BY number DESC LIMIT 1
    ) last ON true
    WHERE chain.links <> coalesce(last.number, 0)
    OR chain.last_hash <> coalesce(last.hash, sha256(CAST('' AS bytea)))
    ORDER BY 1 NULLS LAST
""")
_COUNT = text("SELECT count(*) FROM audit_entries")


class TrailBroken(Exception):
    """Entries were altered or taken away behind the portal's back: somebody has to look into it."""


def record(
    session: Session,
    actor: Actor | None,
    action: StrEnum,
    *,
    kind: str,
    number: int | None = None,
    patient_id: int | None = None,
    outcome: Outcome = Outcome.DONE,
    address: str | None = None,
    **detail: Any,
) -> None:
    """Add an entry: `actor` (None: nobody, or the clinic itself) did `action` to the `kind` of `number`.

    `address` is where from, where no actor says it; `detail` what else must be known: ids and states, never
    names or notes.
    """
    values = _entry(actor, action, kind, number, patient_id, outcome, detail)
    run(session, _INSERT, values if address is None else values | {"address": address})


def record_money(
    session: Session, actor: Actor | None, action: StrEnum, visit: Appointment, *, kind: str, number: int
) -> None:
    """Add an entry for what was done to the `kind` of `number`, which is money for a visit."""
    record(
        session,
        actor,
        action,
        kind=kind,
        number=number,
        patient_id=visit.patient_id,
        appointment_id=visit.id,
    )


def record_read(
    session: Session, actor: Actor, action: StrEnum, *, kind: str, number: int, patient_id: int | None = None
) -> None:
    """Add an entry for a look at something personal, once in ten minutes for the same person and object."""
    values = _entry(actor, action, kind, number, patient_id, Outcome.DONE, {})
    [(is_known,)] = run(session, _SEEN, values | {"since": clock.now() - READ_AGAIN})
    if not is_known:
        run(session, _INSERT, values)


def record_refusal(session: Session, actor: Actor, denied: AccessDenied) -> None:
    """Add an entry for what the access table refused, in a new transaction: the other is rolled back."""
    whose: dict[str, Any] = {"doctor_id": denied.doctor_id, "user_id": denied.user_id}
    record(
        session,
        actor,
        denied.action or Event.FORBIDDEN,
        kind="refusal",
        patient_id=denied.patient_id,
        outcome=Outcome.REFUSED,
        **{name: number for name, number in whose.items() if number is not None},
    )


def _entry(
    actor: Actor | None,
    action: StrEnum,
    kind: str,
    number: int | None,
    patient_id: int | None,
    outcome: Outcome,
    detail: dict[str, Any],
) -> dict[str, Any]:
    own = actor.patient_ids[:1] if actor else ()
    return {
        "at": clock.now(),
        "user_id": actor and actor.user_id,
        "role": actor and actor.role.value,
        "action": action.value,
        "outcome": outcome.value,
        "object_kind": kind,
        "object_id": number,
        "patient_id": patient_id,
        "for_another": bool(actor and patient_id in actor.patient_ids and patient_id not in own),
        "address": actor and actor.address,
        "detail": Jsonb(detail) if detail else None,
    }


def faults(session: Session) -> list[str]:
    """What does not fit in the trail, one line each; empty when every entry is as it was written."""
    return [
        fault if number is None else f"entry {number}: {fault}" for number, fault in session.execute(_FAULTS)
    ]


def require_whole(session: Session) -> int:
    """Check the whole trail; how many entries it has. Raises `TrailBroken`: `verify` says where."""
    found = faults(session)
    if found:
        log.error("the audit trail does not fit in %d places: run `python -m core.audit verify`", len(found))
        raise TrailBroken
    return session.scalar(_COUNT) or 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.audit", description="Look after the audit trail.")
    parser.add_argument("command", choices=["verify"], help="find entries that were altered or taken away")
    parser.parse_args()
    require_schema()
    with unit_of_work() as session:
        found = faults(session)
        count = session.scalar(_COUNT)
    if found:
        sys.exit("\n".join(found))
    sys.stdout.write(f"All {count} entries are as they were written.\n")


if __name__ == "__main__":
    main()
