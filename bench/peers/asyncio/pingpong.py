# SPDX-License-Identifier: BSD-2-Clause
"""bench/micro/pingpong.c: two tasks with a queue each."""

from asyncio import Queue

from common import check, spawn


async def ponger(inbox):
    while (message := await inbox.get()) is not None:
        number, sender = message
        sender.put_nowait(number)


async def run(pings):
    inbox, pong = Queue(), Queue()
    spawn(ponger(inbox))
    for number in range(pings):
        inbox.put_nowait((number, pong))
        check(await pong.get() == number, "pingpong: each ping's pong")
    inbox.put_nowait(None)
    return 2 * pings
