# SPDX-License-Identifier: BSD-2-Clause
"""bench/micro/fib.c: a task for each call, with a future for its answer."""

import asyncio

from common import check, spawn


async def fib(n, out):
    if n < 2:
        out.set_result(n)
        return
    loop = asyncio.get_running_loop()
    a, b = loop.create_future(), loop.create_future()
    spawn(fib(n - 1, a))
    spawn(fib(n - 2, b))
    out.set_result(await a + await b)


async def run(n):
    out = asyncio.get_running_loop().create_future()
    spawn(fib(n, out))
    a, b, actors, more = 0, 1, 1, 1
    for _ in range(n):
        a, b = b, a + b
        actors, more = more, 1 + actors + more
    check(await out == a, "fib: the nth number")
    return actors
