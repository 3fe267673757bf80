#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""troupe-bench report: what the plain text and the page say of made-up results.

    test_report.py TROUPE_BENCH

The plain text of one file is compared with report.txt beside this script; after
a change that was meant, TR_UPDATE=1 writes it anew.
"""

import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

BENCH = os.path.abspath(sys.argv.pop(1))
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.txt")

EVIL = ["</script><script>alert(1)</script>", "</script x",
        "\"'><img src=x onerror=y>", "<!--", "]]>", "&lt;b&gt;",
        "\x1b[31mred\x07", "%s%n%d", "a" * 500, "naïve – 漢字",
        "</title></style><svg onload=z>", "\ud800", ""]


def series(bench="pingpong", value=20.0, runtime="troupe", workers=2,
           state="near", runs=5, suite="micro", **changes):
    """A series as run writes it; all runs take about the same."""
    values = [value * (1 + 0.01 * (i - runs // 2)) for i in range(runs)]
    made = {"bench": bench, "suite": suite, "runtime": runtime,
            "workers": workers, "size": "large", "params": {"n": 2000},
            "valid": True, "judged": state == "near" and runs >= 5,
            "xfer_ns": 65.0 if state == "near" else 345.0, "state": state,
            "runs": runs, "dropped": 0, "failed": 0, "ns": value * 2000,
            "min_ns": 0, "max_ns": 0, "p90_ns": 0, "ops": 2000,
            "unit": "ns_per_op", "value": value, "min": values[0],
            "max": values[-1], "p90": values[-1], "peak_mb": 2.5,
            "cpu_s": 0.25, "preempted": 0, "op": "a message",
            "samples": [{"ns": v * 2000, "value": v, "state": state,
                         "xfer_ns": [60.0, 65.0], "peak_mb": 2.5,
                         "cpu_s": 0.25} for v in values]}
    if runtime == "troupe":
        made.update(sent=2000, spawned=2, steals=1, parks=3, wakeups=4,
                    asides=0)
    made.update(changes)
    return made


def document(results, **changes):
    made = {"schema": "troupe-bench/1", "began": "2026-01-02T03:04:05Z",
            "took_s": 12.5, "complete": True,
            "machine": {"cpus": 2, "memory_mb": 4096, "cpu": "A Processor",
                        "kernel": "Linux 6.1 x86_64"},
            "build": {"version": "1.2.3", "compiler": "gcc 12.2.0"},
            "peers": {"go": "go1.19", "erlang": "OTP 25"},
            "options": {"iterations": 5, "warm_up": 0, "pin": False,
                        "near_ns": 120, "far_ns": 200, "timeout_s": 120,
                        "time_limit_s": 0},
            "results": results}
    made.update(changes)
    return made


def wrong(bench, runtime="troupe", workers=2, **changes):
    """A series without a run that was right."""
    made = series(bench, 1.0, runtime, workers, "mixed", 1)
    made.update(valid=False, judged=False, runs=0, failed=2, value=None,
                ns=None, samples=[], error="check failed: the sum")
    made.update(changes)
    return made


MIXTURE = [
    series("pingpong", 15, workers=1, must=20, aim=10),
    series("pingpong", 18, must=20, aim=10),
    series("pingpong", 60, "go", workers=1), series("pingpong", 72, "go"),
    series("pingpong", 90, "erlang", workers=1),
    series("pingpong", 144, "erlang"),
    series("count", 40, must=28, aim=15), series("count", 32, "go"),
    series("count", 80, "erlang"),
    series("nto1", 9, state="far", must=23, aim=15),
    series("nto1", 45, "go", state="far"), series("nto1", 50, "erlang"),
    series("ring", 11, runs=2, must=25, aim=12), series("ring", 59, "go"),
    series("big", 100, workers=1), series("big", 150, must=60, aim=30),
    wrong("fib", "erlang"), series("fib", 80), wrong("fib", "go"),
    series("idle_actor", 100, unit="bytes", state="mixed", judged=True,
           must=192, aim=128),
    series("wake_pinned", 50, unit="us", raw=40.0, ratio=1.25, must=1.5,
           aim=1.1),
    series("ask", 60, workers=1, must=120, aim=70),
    series("banking", 2500, suite="savina", group="concurrency",
           note="asks, not plain messages"),
    wrong("skynet", suite="kin"),
]


class Page(html.parser.HTMLParser):
    """A page's elements; it is an error when they are not nested well."""

    VOID = {"meta", "link", "br", "img", "input", "hr"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.elements, self.texts = [], [], []
        self.errors, self.raw = [], {}
        self.feed(text)
        self.close()
        if self.stack:
            self.errors.append(f"not closed: {self.stack}")

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.errors.append(f"twice in {tag}: {names}")
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")

    def handle_comment(self, data):
        self.errors.append(f"a comment: {data}")

    def handle_data(self, data):
        if self.stack and self.stack[-1] in ("script", "style"):
            self.raw[len(self.elements) - 1] = data
        else:
            self.texts.append(data)

    def find(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def ids(self):
        return [a["id"] for _, a in self.elements if "id" in a]

    def data(self):
        for nth, (tag, attrs) in enumerate(self.elements):
            if tag == "script" and attrs.get("id") == "data":
                return self.raw[nth]
        return None


class Report(unittest.TestCase):
    def setUp(self):
        at = tempfile.TemporaryDirectory()
        self.addCleanup(at.cleanup)
        self.at = at.name

    def path(self, name):
        return os.path.join(self.at, name)

    def file(self, content):
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        if isinstance(content, str):
            content = content.encode()
        with open(self.path("in.json"), "wb") as file:
            file.write(content)
        return self.path("in.json")

    def report(self, *args):
        return subprocess.run([BENCH, "report", *args], capture_output=True,
                              timeout=60)

    def text(self, content):
        run = self.report(self.file(content))
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        return run.stdout.decode()

    def page(self, content):
        """The page; what every page has to be is looked at here."""
        run = self.report(self.file(content), "-o", self.path("out.html"))
        self.assertEqual((run.returncode, run.stdout, run.stderr),
                         (0, b"", b""))
        with open(self.path("out.html"), encoding="utf-8") as file:
            text = file.read()
        page = Page(text)
        self.assertEqual(page.errors, [])
        ids = page.ids()
        self.assertEqual(len(set(ids)), len(ids))
        for tag, attrs in page.elements:
            target = attrs.get("href", "")
            if tag == "a":
                self.assertIn(target[1:], ids)
            elif tag == "link":
                self.assertEqual(target, "data:,")
            self.assertNotIn("src", attrs)
            self.assertFalse([a for a in attrs if a.startswith("on")])
            for name in attrs.get("aria-labelledby", "").split():
                self.assertIn(name, ids)
            # A figure that is none would be one of these.
            for name in ("x", "x1", "x2", "y", "y1", "y2", "cx", "width",
                         "height"):
                if name in attrs:
                    self.assertRegex(attrs[name], r"^-?[0-9.]+%?$")
        pictures = [a for a in page.find("svg") if a.get("role") == "img"]
        self.assertEqual(len(pictures), len(page.find("desc")))
        for part in ("http:", "https:", "@import", "url("):
            self.assertNotIn(part, text.replace(page.data(), ""))
        self.assertEqual(len(page.find("script")), 2)
        return text, page

    def test_the_text_is_what_it_was(self):
        text = self.text(document(MIXTURE))
        if os.environ.get("TR_UPDATE"):
            with open(GOLDEN, "w", encoding="utf-8") as file:
                file.write(text)
        with open(GOLDEN, encoding="utf-8") as file:
            self.assertEqual(text, file.read())

    def test_the_page_has_every_series_and_the_results(self):
        made = document(MIXTURE)
        text, page = self.page(made)
        self.assertEqual(json.loads(page.data()), made)
        benches = {(r["suite"], r["bench"]) for r in MIXTURE}
        self.assertEqual(len(page.find("article")), len(benches))
        self.assertEqual(len([a for _, a in page.elements
                              if a.get("class") == "bar"
                              and "width" in a]),
                         len([r for r in MIXTURE if r["valid"]]))
        for name in ("lose", "peers", "budgets", "benchmarks", "scaling",
                     "memory", "method", "results"):
            self.assertIn(name, page.ids())
        for words in ("check failed: the sum", "asks, not plain messages",
                      "go1.19", "A Processor", "prefers-color-scheme"):
            self.assertIn(words, text)

    def test_losses_are_named_before_everything_else(self):
        text, page = self.page(document(MIXTURE))
        lose = text[text.index('id="lose"'):text.index('id="peers"')]
        judged = re.sub(r"<details.*?</details>", "", lose, flags=re.S)
        for words in ("micro/count</a>, 2 workers: <b>1.25×</b> the time of "
                      "go", "<b>40.0 ns</b>, must be 28 ns",
                      "micro/big</a>, 2 workers: <b>1.50×</b> the time of "
                      "one worker", "erlang <em>check failed: the sum"):
            self.assertIn(words, judged)
        self.assertNotIn("micro/pingpong", lose)
        self.assertEqual(len(page.find("details")) -
                         lose.count("<details"),
                         len(page.find("article")) + 2)

    def test_a_report_without_losses_says_so(self):
        both = [series("pingpong", 10), series("pingpong", 20, "go")]
        self.assertIn("nowhere in these results", self.text(document(both)))
        self.assertIn("Nowhere in these results", self.page(document(both))[0])

    def test_what_is_not_judged_is_marked_and_no_loss(self):
        far = [series("count", 40, state="far"),
               series("count", 20, "go", state="far")]
        text = self.text(document(far))
        self.assertIn("(0 judged, 1 not)", text)
        self.assertRegex(text, r"  ~ micro/count +2 w  2.00 times slower")
        self.assertRegex(text, r"micro/count +2 ~40.0 ns +~20.0 ns +~0.50")
        page, tree = self.page(document(far))
        lose = page[page.index('id="lose"'):page.index('id="peers"')]
        self.assertIn("Nothing that was judged", lose)
        self.assertIn("<details open", lose)
        self.assertIn("Nothing here was judged", page)
        self.assertIn("Not judged: all (far)", page)

    def test_times_of_different_states_are_not_compared(self):
        two = [series("count", 40), series("count", 20, "go", state="far")]
        text = self.text(document(two))
        self.assertIn("nowhere in these results", text)
        self.assertNotIn("Geometric means", text)
        # Bytes have no state.
        for r in two:
            r["unit"] = "bytes"
        self.assertIn("2.00 times slower than go", self.text(document(two)))

    def test_means_are_geometric_and_of_what_is_judged(self):
        some = [series("pingpong", 10), series("pingpong", 20, "go"),
                series("count", 10), series("count", 80, "go"),
                series("ring", 10, state="far"),
                series("ring", 9000, "go", state="far"),
                series("nto1", 10), series("nto1", 9000, "go", runs=2),
                series("big", 10), wrong("big", "go")]
        text = self.text(document(some))
        self.assertIn("4.00 times as fast as go: of 2 judged of 4\n", text)
        self.assertIn("4.00 times as fast as the best peer each: of 2 judged "
                      "of 4\n", text)
        self.assertIn("<b>4.00×</b> as fast as go", self.page(document(some))[0])

    def test_the_best_peer_is_known_when_all_that_were_right_are_judged(self):
        best = [series("count", 10), series("count", 20, "go"),
                series("count", 30, "erlang", state="far")]
        row = r"micro/count +2  10.0 ns +20.0 ns +.30.0 ns +"
        self.assertRegex(self.text(document(best)), row + "~2.00")
        best[2] = series("count", 30, "erlang")
        self.assertRegex(self.text(document(best)), row + "2.00")
        best[2] = wrong("count", "erlang")
        self.assertRegex(self.text(document(best)), r"NOT VALID +2.00")

    def test_budgets_are_judged_where_they_hold(self):
        def budget(**changes):
            made = series("spawn", **{"must": 20, "aim": 10, **changes})
            line = [x for x in self.text(document([made])).splitlines()
                    if x.startswith("micro/spawn")][-1]
            return "".join(re.findall(r"~?(?:aim|must|MISSED) .*", line))
        self.assertEqual(budget(value=10), "aim (20/10)")
        self.assertEqual(budget(value=20), "must (20/10)")
        self.assertEqual(budget(value=20.1), "MISSED (20/10)")
        self.assertEqual(budget(value=9, state="far"), "~aim (20/10)")
        self.assertEqual(budget(value=9, runs=4), "~aim (20/10)")
        self.assertEqual(budget(value=9, size="small"), "~aim (20/10)")
        self.assertEqual(budget(value=9, workers=4), "")
        self.assertEqual(budget(value=9, workers=1), "")
        self.assertEqual(budget(value=9, runtime="go"), "")
        self.assertEqual(budget(value=90, ratio=9, unit="us", state="far"),
                         "aim (20/10)")
        # This one runs on one worker whatever is asked for.
        ask = [series("ask", 9, workers=1, must=20, aim=10)]
        self.assertIn("  aim (20/10)\n", self.text(document(ask)))

    def test_another_build_is_no_peer(self):
        two = [series("count", 40), series("count", 20, "other")]
        text = self.text(document(two))
        self.assertIn("nowhere in these results", text)
        self.assertIn("0.50 times as fast as other", text)
        self.assertNotIn("best peer each", text)

    def test_lines_of_objects_are_results_too(self):
        lines = "".join(json.dumps(r) + "\n" for r in MIXTURE)
        self.assertIn("micro/pingpong", self.text(lines))
        _, page = self.page(lines)
        self.assertEqual([json.loads(x) for x in
                          page.data().strip().splitlines()], MIXTURE)

    def test_different_parameters_are_different_benchmarks(self):
        two = [series("count", 40), series("count", 20, params={"n": 7}),
               series("count", 10, "go", params={"n": 7})]
        text, page = self.page(document(two))
        self.assertEqual(len(page.find("article")), 2)
        self.assertIn("<b>2.00×</b> the time of go", text)

    def test_interrupted_and_small_runs_are_announced(self):
        some = document([series(size="small")], complete=False)
        self.assertIn("INTERRUPTED", self.text(some))
        self.assertIn("SMALL SIZES in 1 series", self.text(some))
        text, _ = self.page(some)
        self.assertIn("The run was interrupted", text)
        self.assertIn("1 of 1 series were run in small sizes", text)

    def test_hostile_names_stay_names(self):
        results = []
        for i, evil in enumerate(EVIL):
            results += [series("b" + evil, 10, suite="s" + evil,
                               group=evil, op=evil, note=evil, unit=evil,
                               size=evil, state=evil,
                               params={"p" + evil: 1}),
                        series("b" + evil, 20, "r" + evil, suite="s" + evil),
                        wrong("b", "troupe", i + 1, error=evil, suite=evil)]
        made = document(results, began=EVIL[0],
                        machine={"cpu": EVIL[0], "kernel": EVIL[1]},
                        build={"version": EVIL[2], "compiler": EVIL[10]},
                        peers={EVIL[0]: EVIL[1]})
        _, page = self.page(made)
        self.assertEqual(json.loads(page.data()), made)
        self.assertEqual(len(page.find("style")), 1)
        self.assertEqual(len(page.find("title")) - 1,
                         len([s for s in page.elements
                              if s[0] in ("svg", "g")
                              and (s[1].get("role") == "img"
                                   or s[0] == "g")]))
        self.assertIn(EVIL[0], "".join(page.texts))
        text = self.text(made)
        self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text))

    def test_bytes_that_are_no_text_become_replacements(self):
        raw = json.dumps(document([series("XX")])).encode()
        for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80",
                    b"\xe2\x82", b"\x7f"):
            text, page = self.page(raw.replace(b"XX", b"X" + bad + b"X"))
            self.assertRegex(text, "X\ufffd+X</h4>")
            self.assertTrue(json.loads(page.data()))

    def test_figures_that_are_none_are_no_places(self):
        for number in ("1e999", "-5", "0", "1e-300", "1e300", "null", '"x"',
                       "[]"):
            some = [series("count", 10, must=9, aim=8),
                    series("count", 20, "go"), series("count", 5, workers=1),
                    series("wake_pinned", 5, ratio=2, must=9, aim=8)]
            raw = json.dumps(document(some))
            for name in ("value", "min", "max", "p90", "peak_mb", "cpu_s",
                         "xfer_ns", "must", "aim", "ratio", "sent",
                         "dropped", "runs"):
                with self.subTest(name=name, number=number):
                    self.page(re.sub(rf'"{name}": [0-9.]+',
                                     f'"{name}": {number}', raw))

    def test_one_run_no_peers_one_worker(self):
        text, page = self.page(document([series(runs=1, workers=1)], peers={}))
        self.assertIn("No other runtime was run", text)
        self.assertIn("One number of workers was run", text)
        self.assertIn("Not judged: all (1 run)", text)

    def test_many_benchmarks_runtimes_and_workers(self):
        results = [series(f"bench{b}", 10 + b + r + w, runtime, w,
                          suite=f"suite{b // 20}")
                   for b in range(40) for w in (1, 2, 4, 8)
                   for r, runtime in enumerate(
                       ["troupe", "go", "erlang", "tokio", "a", "b", "c",
                        "d", "e", "f"])]
        text, page = self.page(document(results))
        self.assertEqual(len(page.find("article")), 40)
        self.assertEqual(len(page.find("figure")), 40)
        self.assertIn("320 series of further runtimes are not shown", text)
        self.assertIn("LEFT OUT: 320 series", self.text(document(results)))

    def test_wrong_calls_and_files_are_refused(self):
        good = self.file(document(MIXTURE))
        for args, words in (((), "takes one file"),
                            ((good, good), "takes one file"),
                            ((good, "--nonsense"), "unrecognized option"),
                            ((self.path("none"),), "cannot read"),
                            ((good, "-o", good), "holds the results")):
            run = self.report(*args)
            self.assertEqual(run.returncode, 2, args)
            self.assertIn(words, run.stderr.decode())
        with open(good, encoding="utf-8") as file:
            self.assertEqual(json.load(file), document(MIXTURE))
        for output in ("/nonexistent/x.html", "/dev/full"):
            run = self.report(good, "-o", output)
            self.assertEqual(run.returncode, 1)
            self.assertIn("cannot write " + output, run.stderr.decode())
        for content, words in (("{", "in.json:1: "), ("", "has no results"),
                               ("[]", "has no results"),
                               ('{"results":7}', "has no results"),
                               ('{"results":[{"bench":"x"}]}',
                                "has no results")):
            run = self.report(self.file(content))
            self.assertEqual(run.returncode, 2, content)
            self.assertIn(words, run.stderr.decode())
        run = self.report("--help")
        self.assertEqual(run.returncode, 0)
        self.assertIn(b"usage: troupe-bench report", run.stdout)


if __name__ == "__main__":
    unittest.main()
