"""The recurring jobs: each a function of `core`, and how often it runs.

Each turn is taken by one process (`core.heartbeats`). All the same a job may run twice at once, when one is
frozen in its turn and woken later: each claims its rows itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core import (
    audit,
    backlogs,
    checkouts,
    day_sums,
    deliveries,
    delivery_reports,
    holds,
    inbound_texts,
    missed_visits,
    notifications,
    one_time_codes,
    privacy,
    processor_events,
    reminders,
    repayments,
    replies,
    sign_ins,
    stranding_watch,
    waitlist_offers,
)
from core.heartbeats import Backlog
from core.i18n import N_


@dataclass(frozen=True, slots=True)
class Job:
    """`work` gets one transaction and returns how many rows it dealt with.

    One that speaks to the outside `opens_its_own` instead and gets nothing: none is open while it waits. The
    `name` is for good: heartbeats are kept by it. `does` is what it does, in words. A turn that takes longer
    than `lease` may be taken over by another process. `backlog` counts what waits for it.
    """

    name: str
    does: str
    work: Callable[..., int]
    every: timedelta
    opens_its_own: bool = False
    lease: timedelta = timedelta(minutes=2)
    backlog: Backlog | None = None


SOON, OFTEN, HOURLY, DAILY = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(hours=1),
    timedelta(days=1),
)
LONG = timedelta(hours=1)  # for what goes through a whole table

JOBS = (
    Job(
        "send messages",
        N_("Sends messages, and looks for texts of which nothing was heard"),
        deliveries.send_waiting,
        SOON,
        opens_its_own=True,
        backlog=backlogs.messages,
    ),
    Job(
        "follow messages",
        N_("Asks whether texts have arrived"),
        delivery_reports.follow,
        timedelta(seconds=10),
        opens_its_own=True,
        backlog=backlogs.deliveries,
    ),
    Job("remind", N_("Writes reminders of visits"), reminders.remind, OFTEN),
    Job(
        inbound_texts.JOB,
        N_("Reads what people have texted"),
        inbound_texts.read_new,
        timedelta(seconds=20),
        opens_its_own=True,
    ),
    Job(
        "answer texts",
        N_("Deals with what people have texted"),
        replies.answer_waiting,
        SOON,
        opens_its_own=True,
        backlog=backlogs.answers,
    ),
    Job(
        "let go of held times",
        N_("Frees times that were held and not paid for"),
        holds.release,
        timedelta(seconds=10),
        backlog=backlogs.ended_holds,
    ),
    Job(
        "offer freed times",
        N_("Offers freed times to those on the waitlist"),
        waitlist_offers.offer_freed,
        timedelta(seconds=20),
        opens_its_own=True,
    ),
    Job(
        stranding_watch.JOB,
        N_("Notes which visits are without hours, and tells whose visit has hours again"),
        stranding_watch.watch,
        OFTEN,
        opens_its_own=True,
    ),
    Job(
        "note missed visits",
        N_("Notes, once a day is over, who did not come"),
        missed_visits.note,
        timedelta(minutes=10),
    ),
    Job(
        "follow payments",
        N_("Asks the card processor whether payments have arrived"),
        checkouts.advance_due,
        SOON,
        opens_its_own=True,
        backlog=backlogs.attempts_to_pay,
    ),
    Job(
        "read card events",
        N_("Reads what has happened at the card processor"),
        processor_events.read_new,
        OFTEN,
        opens_its_own=True,
    ),
    Job(
        "apply card events",
        N_("Enters what has happened at the card processor"),
        processor_events.apply_waiting,
        SOON,
        opens_its_own=True,
        backlog=backlogs.card_events,
    ),
    Job(
        "pay back",
        N_("Sends money back to cards"),
        repayments.settle_due,
        SOON,
        opens_its_own=True,
        backlog=backlogs.refunds,
    ),
    Job(
        "sum up days",
        N_("Sums up days that are over, for figures of years to open at once"),
        day_sums.sum_up,
        OFTEN,
        opens_its_own=True,
        lease=LONG,
    ),
    Job(
        "check sums",
        N_("Holds the sums of past days against the visits themselves"),
        day_sums.require_equal,
        DAILY,
        opens_its_own=True,
        lease=LONG,
    ),
    Job(
        "check the audit trail",
        N_("Checks that nobody has altered the audit trail"),
        audit.require_whole,
        DAILY,
        lease=LONG,
    ),
    Job(
        "erase records whose years are over",
        N_("Erases records that need not be kept any longer"),
        privacy.expired_records,
        DAILY,
        lease=LONG,
    ),
    Job(
        "forget old codes",
        N_("Deletes codes that have run out"),
        one_time_codes.forget_old,
        timedelta(minutes=5),
    ),
    Job("forget old sign-ins", N_("Deletes sessions that are over"), sign_ins.forget_old, HOURLY),
    Job("forget old messages", N_("Deletes messages of long ago"), notifications.forget_old, HOURLY),
    Job("forget old texts", N_("Deletes texts of long ago"), inbound_texts.forget_old, HOURLY),
    Job("forget old events", N_("Deletes card events of long ago"), processor_events.forget_old, HOURLY),
)
