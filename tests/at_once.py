"""Several people, or several windows of one, that press at the same moment."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import TypeVar

from core.errors import ClinicError

Result = TypeVar("Result")


def at_once(count: int, press: Callable[[int], Result]) -> list[Result | ClinicError]:
    """What `press` came to for 0, 1, … in as many threads, started by one gun; refusals in its place.

    Any other error fails the test.
    """
    gun = Barrier(count)
    came_to: list[Result | BaseException | None] = [None] * count

    def run(number: int) -> None:
        gun.wait()
        try:
            came_to[number] = press(number)
        except BaseException as error:
            came_to[number] = error

    threads = [Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in came_to:
        if isinstance(each, BaseException) and not isinstance(each, ClinicError):
            raise each
    return came_to  # type: ignore[return-value] # whatever was raised is one of ours
