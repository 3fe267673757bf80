# SPDX-License-Identifier: BSD-2-Clause
"""bench/savina/banking.c: an account is a task with a queue, which is what it
does not look into while it waits for another account's answer."""

import asyncio
from asyncio import Queue

from common import check, now, random_after, spawn

SEED = 123456
AMOUNT_MAX = 100000
FIRST_BALANCE = 1000000000


def transfers_drawn(transfers, accounts):
    r = SEED
    for _ in range(transfers):
        r = random_after(r)
        source = r % (accounts // 10 * 8)
        r = random_after(r)
        to = source + max(r % (accounts - source), 1)
        r = random_after(r)
        yield source, to, AMOUNT_MAX // (1 + r)


def expected(transfers, accounts):
    balances = [FIRST_BALANCE] * accounts
    for source, to, cents in transfers_drawn(transfers, accounts):
        balances[source] -= cents
        balances[to] += cents
    return balances


async def account(inbox):
    """Returns its balance when it is sent None."""
    loop = asyncio.get_running_loop()
    balance = FIRST_BALANCE
    while (order := await inbox.get()) is not None:
        to, cents, done = order
        if to is None:
            balance += cents
            done.set_result(None)
        else:
            balance -= cents
            deposited = loop.create_future()
            to.put_nowait((None, cents, deposited))
            await deposited
            done.put_nowait(None)
    return balance


async def run(transfers, count):
    check(count >= 10, "banking: at least 10 accounts")
    balances = expected(transfers, count)

    begin = now()
    accounts = [Queue() for _ in range(count)]
    tasks = [spawn(account(inbox)) for inbox in accounts]
    done = Queue()
    for source, to, cents in transfers_drawn(transfers, count):
        accounts[source].put_nowait((accounts[to], cents, done))
    for _ in range(transfers):
        await done.get()
    end = now()

    for inbox in accounts:
        inbox.put_nowait(None)
    check(await asyncio.gather(*tasks) == balances,
          "banking: an account's balance")
    return transfers, end - begin
