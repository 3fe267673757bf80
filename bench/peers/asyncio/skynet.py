# SPDX-License-Identifier: BSD-2-Clause
"""bench/savina/skynet.c: a tree of tasks, ten below each, which send their sums
up to a queue of the parent's."""

from asyncio import Queue

from common import check, spawn

CHILDREN = 10


async def node(parent, first, leaves):
    if leaves == 1:
        parent.put_nowait(first)
        return
    sums = Queue()
    leaves //= CHILDREN
    for i in range(CHILDREN):
        spawn(node(sums, first + i * leaves, leaves))
    total = 0
    for _ in range(CHILDREN):
        total += await sums.get()
    parent.put_nowait(total)


async def run(leaves):
    result = Queue()
    spawn(node(result, 0, leaves))
    check(await result.get() == leaves * (leaves - 1) // 2,
          "skynet: the sum of all leaves' numbers")
    return leaves
