#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The peers' programs are built, run and right, as far as they are installed.

    peers.py TROUPE_BENCH

Who is not installed is left out; without anybody all of it is skipped.  A wrong
parameter shows that their checks can fail.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import unittest

BENCH = os.path.abspath(sys.argv.pop(1))
SKIPPED = 77

MICRO = ("pingpong", "count", "nto1", "ring", "fjthrput", "fjcreate", "big",
         "fib")
SIX = ("banking", "bndbuffer", "chameneos", "nqueenk", "radixsort", "skynet")
WHAT = {name: MICRO + SIX for name in ("go", "erlang", "tokio", "caf")}
WHAT["asyncio"] = ("pingpong", "fib", "banking", "bndbuffer", "chameneos",
                   "radixsort", "skynet")


def has_caf():
    compiler = shutil.which("c++")
    return compiler is not None and subprocess.run(
        [compiler, "-std=c++17", "-E", "-xc++", "-"], text=True,
        input="#include <caf/all.hpp>\n", capture_output=True,
        timeout=100).returncode == 0


def installed():
    has = {"go": shutil.which("go"),
           "erlang": shutil.which("erl") and shutil.which("erlc"),
           "tokio": shutil.which("cargo")
                    and glob.glob("/usr/share/cargo/registry/tokio-1*"),
           "caf": has_caf(),
           "asyncio": shutil.which("python3")}
    return [peer for peer, there in has.items() if there]


def run(*args):
    names = [f"micro/{name}" for name in MICRO]
    names += [f"savina/{name}" for name in SIX[:-1]] + ["kin/skynet"]
    return subprocess.run(
        [BENCH, "run", *(args or names), "--peers", "--small", "--json",
         "--iterations", "1", "--workers", "2"],
        capture_output=True, text=True, timeout=800)


class Peers(unittest.TestCase):
    def test_every_peer_that_is_there_is_right_in_all_that_it_has(self):
        done = run()
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        for peer in installed():
            with self.subTest(peer):
                rows = [r for r in lines if r["runtime"] == peer]
                self.assertEqual({r["bench"] for r in rows}, set(WHAT[peer]),
                                 done.stderr)
                for r in rows:
                    self.assertIs(r["valid"], True)
                    self.assertGreater(r["ops"], 0)
                    self.assertGreater(r["ns"], 0)

    def test_as_many_operations_as_ours(self):
        done = run("micro/fib", "savina/radixsort", "savina/banking")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        ours = {r["bench"]: r["ops"] for r in lines
                if r["runtime"] == "troupe"}
        self.assertEqual(len(ours), 3)
        for r in lines:
            self.assertEqual(r["ops"], ours[r["bench"]], r["runtime"])

    def test_a_wrong_result_is_found_by_everybody(self):
        # A tree of 15 leaves is no full one, so its sum is another.
        done = run("kin/skynet", "--set", "leaves=15")
        self.assertEqual(done.returncode, 1)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertLessEqual(set(installed()), {r["runtime"] for r in lines})
        for r in lines:
            self.assertIs(r["valid"], False, r["runtime"])
            self.assertIn("the sum of all leaves' numbers", r["error"])

    def test_a_limit_is_said(self):
        if "asyncio" not in installed():
            self.skipTest("asyncio")
        done = run("micro/pingpong", "--set", "n=100007")
        lines = {r["runtime"]: r
                 for r in map(json.loads, done.stdout.splitlines())}
        self.assertNotIn("limited", lines["troupe"])
        self.assertEqual(lines["asyncio"]["params"], {"n": 100007})
        self.assertEqual(lines["asyncio"]["limited"], {"n": 100000})
        self.assertEqual(lines["asyncio"]["ops"], 200000)


if __name__ == "__main__":
    if not installed():
        print("no peer is installed")
        sys.exit(SKIPPED)
    unittest.main()
