# SPDX-License-Identifier: BSD-2-Clause
"""Benchmarks of bench/ with asyncio's tasks and queues, on its one thread.

    python3 bench.py pingpong 100000
    python3 bench.py banking 50000,1000

Each runs once in a fresh process, checks its result and prints one line; see
../README.md for its form and for the sizes.
"""

import asyncio
import importlib
import sys

from common import check, now

NAMES = ("banking", "bndbuffer", "chameneos", "fib", "pingpong", "radixsort",
         "skynet")


async def bench(name, size):
    """How many operations it was, and how long they took."""
    run = importlib.import_module(name).run
    begin = now()
    result = await run(*size)
    end = now()
    return result if isinstance(result, tuple) else (result, end - begin)


def main(name, size):
    check(name in NAMES, "the name of a benchmark")
    ops, s = asyncio.run(bench(name, [int(n) for n in size.split(",")]))
    print(f"asyncio {name} {ops} ops {s:.6f} s {s * 1e9 / ops:.1f} ns/op")


if __name__ == "__main__":
    main(*sys.argv[1:])
