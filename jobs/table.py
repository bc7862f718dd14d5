"""The recurring jobs: each a function of `core` and how often it runs.

A job may run twice at once, in two processes: each claims its rows itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core import (
    checkouts,
    deliveries,
    delivery_reports,
    holds,
    inbound_texts,
    notifications,
    one_time_codes,
    privacy,
    processor_events,
    reminders,
    repayments,
    replies,
    sign_ins,
    waitlist_offers,
)


@dataclass(frozen=True, slots=True)
class Job:
    """`work` gets one transaction and returns how many rows it dealt with.

    One that speaks to the outside `opens_its_own` instead and gets nothing: none is open while it waits.
    """

    name: str
    work: Callable[..., int]
    every: timedelta
    opens_its_own: bool = False


JOBS = (
    Job("follow payments", checkouts.advance_due, timedelta(seconds=5), opens_its_own=True),
    Job(
        "read what the card processor says",
        processor_events.read_new,
        timedelta(seconds=30),
        opens_its_own=True,
    ),
    Job("look into it", processor_events.apply_waiting, timedelta(seconds=5), opens_its_own=True),
    Job("pay back", repayments.settle_due, timedelta(seconds=5), opens_its_own=True),
    Job("forget old events", processor_events.forget_old, timedelta(hours=1)),
    Job("let go of held times", holds.release, timedelta(seconds=10)),
    Job("offer freed times", waitlist_offers.offer_freed, timedelta(seconds=20), opens_its_own=True),
    Job("erase records whose years are over", privacy.expired_records, timedelta(days=1)),
    Job("forget old sign-ins", sign_ins.forget_old, timedelta(hours=1)),
    Job("forget old codes", one_time_codes.forget_old, timedelta(minutes=5)),
    Job("read texts", inbound_texts.read_new, timedelta(seconds=20), opens_its_own=True),
    Job("answer texts", replies.answer_waiting, timedelta(seconds=5), opens_its_own=True),
    Job("forget old texts", inbound_texts.forget_old, timedelta(hours=1)),
    Job("follow messages", delivery_reports.follow, timedelta(seconds=10), opens_its_own=True),
    Job("remind", reminders.remind, timedelta(seconds=30)),
    Job("send messages", deliveries.send_waiting, timedelta(seconds=5), opens_its_own=True),
    Job("forget old messages", notifications.forget_old, timedelta(hours=1)),
)
