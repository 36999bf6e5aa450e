"""Sums up again and again, until it is told to end."""

import signal
import time

from sales import summary


def run() -> str:
    going = True

    def end(_number: int, _frame: object) -> None:
        nonlocal going
        going = False

    signal.signal(signal.SIGTERM, end)
    while going:
        summary.run()
        time.sleep(0.2)
    return "told to end"
