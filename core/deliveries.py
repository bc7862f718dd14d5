"""Sending what the outbox holds: claimed and committed, sent with no transaction open, then recorded.

Twilio has no idempotency: whatever is sent twice arrives twice. So a text that was left *sending*, by a crash
or without a clear answer, is looked for there twice before it may be sent again; and a process that slept
longer than its lease sends nothing any more. Between the last look at the clock and the write that follows it
nothing protects us: a process frozen exactly there, for minutes, could still send a second copy.
"""

from datetime import timedelta

from core import claims, clinics, lost_texts, mailers, notifications, outcomes, twilio_sms
from core.claims import Claim, NotComposed, Taken
from core.mailers import Mailer, MailFailed
from core.outcomes import OURS_TO_MEND, Outcome
from core.sms import LeaseOver, Sms, SmsBusy, SmsRefused, SmsUncertain, SmsUnreachable
from db.models import Channel, NotificationStatus
from db.session import Transaction, unit_of_work

BATCH = 200  # so that one run of the job ends
_REFUSES_US = frozenset(reason.value for reason in OURS_TO_MEND)
_STOPS = frozenset({*_REFUSES_US, "busy", "unreachable"})
_LONGEST_VALIDITY = 36_000  # seconds, Twilio's bound; 60 is ours, for a text that is nearly too late


class SenderMisconfigured(Exception):
    """The carrier refuses whatever we send, until somebody mends our account or its settings."""


def send_waiting(
    mailer: Mailer | None = None, sms: Sms | None = None, transaction: Transaction = unit_of_work
) -> int:
    """Send what is due, one by one; how many were tried. Safe to repeat and to run twice.

    It works between transactions, each from `transaction`. Raises `SenderMisconfigured` once the others
    have had their turn.
    """
    mailer, sms = mailer or mailers.configured(), sms or twilio_sms.configured()
    with transaction() as session:
        claims.give_up(session)
        keeps_mail = clinics.is_founded(session) and notifications.has_mailbox(session)
    if sms is not None:
        lost_texts.look(sms, transaction)
    tried, stopped = 0, None
    failures: list[NotComposed] = []
    while tried + len(failures) < BATCH:
        try:
            taken = _taken(transaction, mailer is not None, sms is not None and stopped is None)
        except NotComposed as failure:
            failures.append(failure)
            continue
        if taken is Taken.NOTHING:
            break
        tried += 1
        if isinstance(taken, Claim):
            outcome = _sent(taken, mailer, sms, keeps_mail=keeps_mail, stopped=stopped)
            stopped = stopped or _stops_the_others(taken, outcome)
            with transaction() as session:
                outcomes.record(session, taken, outcome)
    if failures:
        raise failures[0]
    if stopped and stopped.error in _REFUSES_US:
        raise SenderMisconfigured
    return tried


def _taken(transaction: Transaction, can_mail: bool, can_text: bool) -> Claim | Taken:
    """The next claim. A message that cannot be written is put off before `NotComposed` is raised on."""
    try:
        with transaction() as session:
            return claims.take(session, can_mail=can_mail, can_text=can_text)
    except NotComposed as failure:
        with transaction() as session:
            claims.put_off(session, failure.message_id)
        raise


def _stops_the_others(claim: Claim, outcome: Outcome) -> Outcome | None:
    """What becomes of this turn's other texts after this one, None where each has its own chance.

    A carrier that is busy, out of reach or refuses us does so whatever the text: to ask on would make it
    busier, and the emails wait.
    """
    is_of_the_carrier = claim.channel is Channel.SMS and outcome.error in _STOPS
    return outcome._replace(code=None) if is_of_the_carrier else None


def _sent(
    claim: Claim, mailer: Mailer | None, sms: Sms | None, *, keeps_mail: bool, stopped: Outcome | None
) -> Outcome:
    if claim.channel is Channel.EMAIL:
        return _mailed(claim, mailer, keeps_mail=keeps_mail)
    if sms is None:
        return Outcome(NotificationStatus.PENDING, "no sender", retry_after=timedelta(minutes=5))
    return stopped or _texted(claim, sms)


def _mailed(claim: Claim, mailer: Mailer | None, *, keeps_mail: bool) -> Outcome:
    if mailer is None:
        if keeps_mail:
            return Outcome(NotificationStatus.SENT, "kept in the demo's mailbox")
        return Outcome(NotificationStatus.PENDING, "no mail server", retry_after=timedelta(minutes=5))
    try:
        mailer.send(
            to=claim.sent_to, subject=claim.subject, body=claim.body, key=claim.key, calendar=claim.calendar
        )
    except MailFailed as error:
        if error.is_final:
            return Outcome(NotificationStatus.FAILED, str(error))
        return Outcome(NotificationStatus.PENDING, str(error), retry_after=timedelta())
    return Outcome(NotificationStatus.SENT)


def _texted(claim: Claim, sms: Sms) -> Outcome:
    """Send a text. Where nothing clear came back it stays *sending*, to be looked for."""
    try:
        accepted = sms.send(
            to=claim.sent_to, body=claim.body, valid_seconds=_valid_seconds(claim), before=claim.must_leave_by
        )
    except SmsRefused as refusal:
        return _refused(refusal)
    except SmsBusy as busy:
        return Outcome(NotificationStatus.PENDING, "busy", retry_after=busy.retry_after or timedelta())
    except SmsUnreachable:
        return Outcome(NotificationStatus.PENDING, "unreachable", retry_after=timedelta())
    except (SmsUncertain, LeaseOver) as error:
        return Outcome(NotificationStatus.SENDING, type(error).__name__)
    return Outcome(NotificationStatus.SENT, accepted=accepted)


def _refused(refusal: SmsRefused) -> Outcome:
    if refusal.reason in OURS_TO_MEND:
        again = timedelta(minutes=5)
        return Outcome(NotificationStatus.PENDING, refusal.reason, refusal.code, retry_after=again)
    return Outcome(NotificationStatus.FAILED, refusal.reason, refusal.code)


def _valid_seconds(claim: Claim) -> int | None:
    """How long the carrier may try: a reminder must not arrive after the visit."""
    if claim.expires_at is None:
        return None
    left = int((claim.expires_at - claim.attempted_at).total_seconds())
    return max(60, min(left, _LONGEST_VALIDITY))
