"""The recurring jobs: each a function of `core` and how often it runs.

A job may run twice at once, in two processes: each claims its rows itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core import appointments, privacy, sign_ins


@dataclass(frozen=True, slots=True)
class Job:
    """`work` gets one transaction and returns how many rows it dealt with."""

    name: str
    work: Callable[..., int]
    every: timedelta


JOBS = (
    Job("expire holds", appointments.expire_holds, timedelta(seconds=30)),
    Job("erase records whose years are over", privacy.expired_records, timedelta(days=1)),
    Job("forget old sign-ins", sign_ins.forget_old, timedelta(hours=1)),
)
