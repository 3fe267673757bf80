# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks share."""

import asyncio
import sys
from time import perf_counter as now

# The loop has weak references to tasks only.
TASKS = set()


def check(ok, what):
    """End the program unless the result is right."""
    if not ok:
        print("failed", what, "expected", flush=True)
        sys.exit(1)


def spawn(coroutine):
    task = asyncio.create_task(coroutine)
    TASKS.add(task)
    task.add_done_callback(ended)
    return task


def ended(task):
    TASKS.discard(task)
    check(task.cancelled() or task.exception() is None,
          f"all tasks to end well, not by {task}")


def random_after(r):
    """The suite's own generator of numbers from 0 to 65535."""
    return (r * 1309 + 13849) & 65535
