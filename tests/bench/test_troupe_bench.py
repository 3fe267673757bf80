#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""troupe-bench as its users call it: results, errors, exit codes, compare.

    test_troupe_bench.py TROUPE_BENCH
"""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BENCH = os.path.abspath(sys.argv.pop(1))


def bench(*args, timeout=200):
    return subprocess.run([BENCH, *args], capture_output=True, text=True,
                          timeout=timeout)


def result(values, state="near", **changes):
    """A result as run writes it, as far as compare looks at it."""
    made = {"bench": "pingpong", "suite": "savina", "runtime": "troupe",
            "workers": 2, "params": {"pings": 2000}, "valid": True,
            "unit": "ns_per_op",
            "samples": [{"value": v, "state": state} for v in values]}
    made.update(changes)
    return made


class Run(unittest.TestCase):
    def test_an_object_per_line_with_what_the_readme_says(self):
        run = bench("run", "savina/pingpong", "kin/skynet", "--small",
                    "--json", "--iterations", "2", "--workers", "1,2")
        self.assertEqual(run.returncode, 0, run.stderr)
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual([(r["bench"], r["workers"]) for r in lines],
                         [("pingpong", 1), ("pingpong", 2),
                          ("skynet", 1), ("skynet", 2)])
        for r in lines:
            self.assertIs(r["valid"], True)
            self.assertEqual(r["size"], "small")
            self.assertGreater(r["ns"], 0)
            self.assertGreater(r["peak_mb"], 0)
            self.assertGreater(r["sent"], 0)
            self.assertIn(r["state"], ("near", "far", "mixed", "one_cpu"))
            self.assertLessEqual(r["min_ns"], r["ns"])
            self.assertLessEqual(r["ns"], r["p90_ns"])
            self.assertLessEqual(r["p90_ns"], r["max_ns"])
            # Further runs replace those that do not count.
            self.assertGreaterEqual(len(r["samples"]), 2)
            self.assertEqual(r["runs"] + r["dropped"], len(r["samples"]))
            self.assertIs(r["judged"], False)  # two runs are too few
            self.assertTrue("xfer_ns" in r)
        self.assertEqual(lines[0]["params"], {"pings": 2000})
        self.assertEqual(lines[0]["ops"], 4000)

    def test_what_was_counted_is_what_was_sent(self):
        run = bench("run", "pingpong", "--set", "pings=123", "--small",
                    "--json", "--iterations", "1", "--workers", "3",
                    "--pin", "--warm-up", "2")
        self.assertEqual(run.returncode, 0, run.stderr)
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual({r["suite"] for r in lines}, {"micro", "savina"})
        ours = next(r for r in lines if r["suite"] == "savina")
        self.assertEqual(ours["params"], {"pings": 123})
        self.assertEqual(ours["sent"], 247)
        self.assertEqual(ours["workers"], 3)

    def test_csv_and_the_table_have_a_line_for_each(self):
        args = ("run", "kin/skynet", "--small", "--iterations", "1",
                "--workers", "1,2")
        rows = list(csv.DictReader(io.StringIO(bench(*args, "--csv").stdout)))
        self.assertEqual([r["workers"] for r in rows], ["1", "2"])
        self.assertEqual({r["valid"] for r in rows}, {"1"})
        self.assertGreater(float(rows[0]["ns"]), 0)
        table = bench(*args).stdout.splitlines()
        self.assertEqual(len(table), 3)
        self.assertTrue(table[1].startswith("kin/skynet "), table)

    def test_the_file_has_the_machine_and_all_results(self):
        with tempfile.TemporaryDirectory() as at:
            path = os.path.join(at, "out.json")
            run = bench("run", "skynet", "--small", "--iterations", "1",
                        "--workers", "2", "--output", path)
            self.assertEqual(run.returncode, 0, run.stderr)
            with open(path, encoding="utf-8") as file:
                out = json.load(file)
        self.assertEqual(out["schema"], "troupe-bench/1")
        self.assertIs(out["complete"], True)
        self.assertEqual(out["options"]["iterations"], 1)
        self.assertEqual(out["peers"], {})
        self.assertGreater(out["machine"]["cpus"], 0)
        self.assertEqual([r["bench"] for r in out["results"]], ["skynet"])

    def test_what_is_no_time_has_none(self):
        run = bench("run", "micro/idle_actor", "--small", "--json",
                    "--iterations", "1", "--workers", "1")
        self.assertEqual(run.returncode, 0, run.stderr)
        one = json.loads(run.stdout)
        self.assertEqual((one["unit"], one["ns"]), ("bytes", 0))
        self.assertGreater(one["value"], 0)
        self.assertEqual(one["must"], 192)

    def test_a_wrong_result_is_not_valid_and_the_exit_code_says_so(self):
        # A tree of 15 leaves is no full one, so its sum is another.
        run = bench("run", "kin/skynet", "--small", "--set", "leaves=15",
                    "--json", "--iterations", "3", "--workers", "1")
        self.assertEqual(run.returncode, 1)
        [r] = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertIs(r["valid"], False)
        self.assertIs(r["judged"], False)
        self.assertIn("the sum of all leaves' numbers", r["error"])
        self.assertEqual(r["runs"], 0)
        self.assertIsNone(r["ns"])
        self.assertIn("check failed", run.stderr)

    def test_a_run_that_takes_too_long_has_failed(self):
        run = bench("run", "savina/pingpong", "--set", "pings=100000000000",
                    "--timeout", "1s", "--iterations", "2", "--workers", "1")
        self.assertEqual(run.returncode, 1)
        self.assertIn("FAILED: still running after 1 s", run.stdout)

    def test_another_build_runs_beside_this_one(self):
        with tempfile.TemporaryDirectory() as at:
            other = os.path.join(at, "other")
            with open(other, "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\n: >>{at}/called\nexec {BENCH} "$@"\n')
            os.chmod(other, 0o755)
            path = os.path.join(at, "out.json")
            run = bench("run", "kin/skynet", "--small", "--iterations", "1",
                        "--workers", "2", "--against", other, "--output", path)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertTrue(os.path.exists(f"{at}/called"))
            with open(path, encoding="utf-8") as file:
                results = json.load(file)["results"]
            self.assertEqual([r["runtime"] for r in results],
                             ["troupe", "other"])
            run = bench("compare", path, "--json")
            self.assertEqual(run.returncode, 0, run.stderr)
            [one] = [json.loads(line) for line in run.stdout.splitlines()]
            self.assertEqual((one["bench"], one["runtime"]),
                             ("skynet", "other"))

    def test_a_time_limit_leaves_one_run_of_each(self):
        run = bench("run", "savina/pingpong", "kin/skynet", "--small",
                    "--time-limit", "0.01s", "--iterations", "50", "--json",
                    "--workers", "1")
        self.assertEqual(run.returncode, 0, run.stderr)
        for line in run.stdout.splitlines():
            self.assertEqual(len(json.loads(line)["samples"]), 1)

    def test_an_interrupted_run_reports_what_there_is_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as at:
            path = os.path.join(at, "out.json")
            run = subprocess.Popen(
                [BENCH, "run", "savina/pingpong", "--set",
                 "pings=100000000000", "--workers", "1", "--output", path],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            children = f"/proc/{run.pid}/task/{run.pid}/children"
            child = ""
            while not child:
                with open(children, encoding="utf-8") as file:
                    child = file.read().strip()
                time.sleep(0.01)
            run.send_signal(signal.SIGINT)
            self.assertIn(b"interrupted", run.communicate(timeout=100)[1])
            self.assertEqual(run.returncode, 130)
            with open(path, encoding="utf-8") as file:
                self.assertIs(json.load(file)["complete"], False)
            self.assertFalse(os.path.exists(f"/proc/{child}"))

    def test_wrong_calls_say_what_is_wrong(self):
        for args, text in (
                ((), "usage: troupe-bench"),
                (("nonsense",), "no command 'nonsense'"),
                (("run", "nonsense"), "no benchmark 'nonsense'"),
                (("list", "nonsense"), "no benchmark 'nonsense'"),
                (("run", "--nonsense"), "unrecognized option"),
                (("run", "--size", "huge"), "small, savina or large"),
                (("run", "--workers", "0"), "a number from 1 to 64"),
                (("run", "--workers", "1,x"), "a number from 1 to 64"),
                (("run", "--workers", ""), "--workers takes numbers"),
                (("run", "--workers", "1.5"), "a whole number"),
                (("run", "--iterations", "101"), "from 1 to 100"),
                (("run", "--set", "pings"), "--set takes NAME=VALUE"),
                (("run", "--set", "pings=-1"), "--set takes NAME=VALUE"),
                (("run", "kin/skynet", "--set", "pings=1"),
                 "has a parameter 'pings'"),
                (("run", "--time-limit", "soon"), "a time such as"),
                (("run", "--near", "x"), "--near takes a number"),
                (("run", "--against", "/nonexistent/x"), "--against takes"),
                (("run", "--against", "sh"), "--against takes"),
                (("compare",), "compare takes one file or two"),
                (("compare", "a", "b", "c"), "compare takes one file or two"),
                (("compare", "--alpha", "2", "a", "b"), "--alpha takes"),
                (("child", "kin/skynet", "small", "1", "leaves=x"),
                 "wrong arguments"),
                (("child", "kin/skynet", "small", "65"), "wrong arguments")):
            run = bench(*args)
            self.assertEqual(run.returncode, 2, (args, run.stderr))
            self.assertIn(text, run.stderr)
            self.assertEqual(run.stdout, "")

    def test_a_file_that_cannot_be_written_is_an_error(self):
        run = bench("run", "kin/skynet", "--small", "--iterations", "1",
                    "--workers", "1", "--output", "/nonexistent/out.json")
        self.assertEqual(run.returncode, 1)
        self.assertIn("cannot write /nonexistent/out.json", run.stderr)

    def test_help_and_list(self):
        for args in (("help",), ("run", "--help"), ("compare", "--help"),
                     ("micro", "--help")):
            run = bench(*args)
            self.assertEqual(run.returncode, 0)
            self.assertIn("usage: ", run.stdout)
        run = bench("list", "savina/pingpong")
        self.assertEqual(run.returncode, 0)
        self.assertRegex(run.stdout, r"^savina/pingpong +messages +pings=")


class Compare(unittest.TestCase):
    def setUp(self):
        self.at = tempfile.TemporaryDirectory()
        self.addCleanup(self.at.cleanup)

    def file(self, name, content):
        path = os.path.join(self.at.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def compare(self, a, b, *options):
        """Compare two lists of results, one as a document, one as lines."""
        document = json.dumps({"schema": "troupe-bench/1", "results": a})
        lines = "".join(json.dumps(r) + "\n" for r in b)
        run = bench("compare", self.file("a.json", document),
                    self.file("b.json", lines), "--json", *options)
        return run.returncode, [json.loads(x) for x in run.stdout.splitlines()]

    def verdict(self, a, b, *options):
        code, [one] = self.compare([a], [b], *options)
        return code, one["verdict"]

    slow = [100, 101, 102, 103, 104]
    fast = [90, 91, 92, 93, 94]

    def test_what_exceeds_the_noise_is_told(self):
        code, [one] = self.compare([result(self.slow)], [result(self.fast)])
        self.assertEqual((code, one["verdict"]), (0, "better"))
        self.assertAlmostEqual(one["p"], 2 / 252, places=4)
        self.assertAlmostEqual(one["change_percent"], 100 * (92 / 102 - 1),
                               places=1)
        self.assertEqual(one["runs"], [5, 5])
        self.assertEqual(self.verdict(result(self.fast), result(self.slow)),
                         (1, "worse"))

    def test_what_is_noise_is_not(self):
        same = (0, "same")
        self.assertEqual(self.verdict(result(self.slow), result(self.slow)),
                         same)
        # Large, but they overlap.
        self.assertEqual(self.verdict(result([50, 60, 70, 80, 90]),
                                      result([60, 75, 85, 95, 99])), same)
        # Certain, but small; unless it is asked for.
        near = [100.1, 101.1, 102.1, 103.1, 104.1]
        shifted = [v + 4.5 for v in near]
        self.assertEqual(self.verdict(result(near), result(shifted),
                                      "--threshold", "5"), same)
        self.assertEqual(self.verdict(result(near), result(shifted)),
                         (1, "worse"))

    def test_few_runs_have_no_verdict(self):
        self.assertEqual(self.verdict(result(self.slow[:3]),
                                      result(self.fast[:3])),
                         (0, "few runs"))
        self.assertEqual(self.verdict(result(self.slow[:3]),
                                      result(self.fast[:3]), "--alpha", "0.1"),
                         (0, "better"))

    def test_only_runs_of_the_same_state_are_compared(self):
        self.assertEqual(self.verdict(result(self.slow),
                                      result(self.fast, "far")),
                         (0, "no common state"))
        self.assertEqual(self.verdict(result(self.slow, "mixed"),
                                      result(self.fast, "mixed")),
                         (0, "no common state"))
        both = result(self.slow)
        both["samples"] += result([300, 301], "far")["samples"]
        code, [one] = self.compare([both], [result(self.fast)])
        self.assertEqual((one["verdict"], one["state"], one["runs"]),
                         ("better", "near", [5, 5]))
        self.assertEqual(code, 0)

    def test_bytes_have_no_state(self):
        self.assertEqual(
            self.verdict(result(self.slow, "mixed", unit="bytes"),
                         result(self.fast, "far", unit="bytes")),
            (0, "better"))

    def test_a_result_that_is_not_valid_fails(self):
        self.assertEqual(self.verdict(result(self.slow),
                                      result(self.fast, valid=False)),
                         (1, "INVALID"))

    def test_results_are_matched_by_all_that_was_run(self):
        for other in ({"workers": 1}, {"params": {"pings": 2001}},
                      {"params": {}}, {"runtime": "go"}, {"suite": "micro"},
                      {"bench": "count"}):
            a = self.file("a.json", json.dumps(result(self.slow)))
            b = self.file("b.json", json.dumps(result(self.fast, **other)))
            run = bench("compare", a, b)
            self.assertEqual(run.returncode, 2)
            self.assertIn("no result in common", run.stderr)
        code, lines = self.compare(
            [result(self.slow), result(self.slow, workers=4)],
            [result(self.fast, workers=4), result(self.fast, workers=8)])
        self.assertEqual((code, [r["workers"] for r in lines]), (0, [4]))

    def test_two_builds_in_one_file_are_compared(self):
        both = [result(self.slow), result(self.fast, runtime="other"),
                result(self.fast, runtime="go"),
                result(self.fast, workers=4)]
        path = self.file("a.json", "".join(json.dumps(r) for r in both))
        run = bench("compare", path, "--json")
        [one] = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual((run.returncode, one["verdict"], one["value"]),
                         (1, "worse", [92, 102]))

    def test_the_table_counts_the_verdicts(self):
        a = self.file("a.json", json.dumps(result(self.slow)))
        b = self.file("b.json", json.dumps(result(self.fast)))
        run = bench("compare", a, b)
        self.assertEqual(run.returncode, 0)
        self.assertIn("-9.8 %", run.stdout)
        self.assertIn("1 better, 0 worse, 0 same", run.stdout)

    def test_files_that_are_no_results_are_refused(self):
        good = self.file("good.json", json.dumps(result(self.slow)))
        for content, text in (("{", "bad.json:1: "), ("", "no results"),
                              ("[]", "no results"), ("{}", "no results"),
                              ('{"results":[]}', "no results"),
                              ('{"results":7}', "no results"),
                              ("{}\nx", "bad.json:2: ")):
            run = bench("compare", good, self.file("bad.json", content))
            self.assertEqual(run.returncode, 2, content)
            self.assertIn(text, run.stderr)
        run = bench("compare", good, os.path.join(self.at.name, "none"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("cannot read", run.stderr)


if __name__ == "__main__":
    unittest.main()
