#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs ingest as its users do, and compares the database cell by cell with
what Python's csv module reads from the same file.

usage: test_ingest.py INGEST GEN_CSV [unittest arguments]
"""
import csv
import os
import pty
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

INGEST = os.path.abspath(sys.argv[1])
GEN_CSV = os.path.abspath(sys.argv[2])
with open(INGEST, "rb") as binary:
    image = binary.read()
SANITIZED = b"__asan_init" in image or b"__tsan_init" in image
SLOW = b"__tsan_init" in image
csv.field_size_limit(1 << 30)

INTEGER = re.compile(r"(0|-?[1-9][0-9]*)\Z", re.ASCII)
REAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z", re.ASCII)


def as_integer(text):
    if INTEGER.match(text) and -2**63 <= int(text) < 2**63:
        return int(text)
    return None


def as_real(text):
    if not REAL.match(text) or sum(c.isdigit() for c in text) > 15:
        return None
    if text.startswith("-") and float(text) == 0:
        return None
    return float(text)


READERS = {"INTEGER": as_integer, "REAL": as_real, "TEXT": lambda t: t}


def guess(texts):
    texts = [t for t in texts if t != ""]
    for name in ("INTEGER", "REAL"):
        if texts and all(READERS[name](t) is not None for t in texts):
            return name
    return "TEXT"


def read_with_python(path, delimiter=",", header=True):
    """The header and the typed rows that the table should have."""
    with open(path, newline="", encoding="utf-8-sig",
              errors="surrogateescape") as f:
        rows = [r for r in csv.reader(f, delimiter=delimiter) if r]
    names = rows.pop(0) if header else ["c%d" % (i + 1)
                                        for i in range(len(rows[0]))]
    types = [guess([r[i] for r in rows[:10000]]) for i in range(len(names))]
    typed = []
    for row in rows:
        cells = []
        for kind, text in zip(types, row):
            value = READERS[kind](text) if text != "" else ""
            cells.append(text if value is None else value)
        typed.append(tuple(cells))
    return names, typed


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="ingest-test.")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, name, content):
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogateescape")
        with open(self.path(name), "wb") as f:
            f.write(content)
        return self.path(name)

    def run_ingest(self, *args, code=0, **popen):
        done = subprocess.run([INGEST, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              errors="replace", **popen)
        self.assertEqual(done.returncode, code,
                         "ingest %s\n%s%s" % (" ".join(args), done.stdout,
                                              done.stderr))
        return done

    def load(self, *args, code=0, **popen):
        return self.run_ingest(*args, "--into", self.path("out.db"),
                               code=code, **popen)

    def rows(self, table, db="out.db", order="rowid"):
        con = sqlite3.connect(self.path(db))
        con.text_factory = lambda b: b.decode("utf-8", "surrogateescape")
        try:
            return con.execute('select * from "%s" order by %s'
                               % (table, order)).fetchall()
        finally:
            con.close()

    def columns(self, table):
        con = sqlite3.connect(self.path("out.db"))
        try:
            return [c[1:3] for c in con.execute(
                'pragma table_info("%s")' % table)]
        finally:
            con.close()

    def tables(self, db="out.db"):
        con = sqlite3.connect(self.path(db))
        try:
            return [r[0] for r in con.execute(
                "select name from sqlite_master where type = 'table'")]
        finally:
            con.close()

    def rejects(self, name):
        with open(self.path(name), newline="", encoding="utf-8",
                  errors="surrogateescape") as f:
            return list(csv.DictReader(f))

    def check_same_as_python(self, path, *args, delimiter=",", header=True):
        self.load(path, "--table", "t", "--replace", *args)
        names, rows = read_with_python(path, delimiter, header)
        self.assertEqual([c[0] for c in self.columns("t")], names)
        actual = self.rows("t")
        self.assertEqual(len(actual), len(rows))
        for mine, theirs in zip(actual, rows):
            self.assertEqual(mine, theirs)
            self.assertEqual([type(v) for v in mine],
                             [type(v) for v in theirs])


class WellFormedFiles(Case):
    def check(self, content, *args, **kind):
        path = self.file("in.csv", content)
        self.check_same_as_python(path, *args, **kind)

    def test_quotes_delimiters_and_line_ends_in_fields(self):
        self.check('id,text,more\r\n1,"a ""q"" b",x\r\n2,"two\nlines","a,b"\n'
                   '3,"cr\rlf\r\n\n",""""\n4,mid"dle,a""b\n5,"","x"\n')

    def test_crlf_lf_and_cr_line_ends(self):
        self.check("a,b\r\n1,2\r\n3,4\n5,6\r7,8")

    def test_blanks_are_kept(self):
        self.check('a,b,c\n 1 ,  x\t,\t\n"  ", y ," z"\n   ,,\n')

    def test_blank_lines_are_no_rows(self):
        self.check("\n\r\na,b\n\n\n1,2\n\r\n\n3,4\n\n\n")

    def test_byte_order_mark_is_dropped(self):
        self.check(b"\xef\xbb\xbfa,b\n1,2\n")
        self.check(b'\xef\xbb\xbf"a,a",b\n1,2\n')

    def test_no_line_end_at_the_end(self):
        for end in ("x", '"x"', '"x\n"', "", '""'):
            self.check("a,b\n1,2\n3," + end)

    def test_one_column(self):
        self.check('a\n1\n""\n2\n"x"\n')

    def test_many_columns(self):
        n = 1999
        self.check("\n".join(",".join("%s%d" % (c, i) for i in range(n))
                             for c in ("n", "", "x")))

    def test_utf8_and_bytes_that_are_none(self):
        self.check("näme,日本語\nGrüße,🦀\n".encode() + b"\xff\xfe,\xc3\n")

    def test_nul_bytes_are_kept(self):
        # Python's reader takes no NUL, so this one is written down.
        self.load(self.file("t.csv", b"a,b\nx\0y,\0\n"))
        self.assertEqual(self.rows("t"), [("x\0y", "\0")])

    def test_other_delimiters(self):
        self.check('a\tb\n1,5\t"x\ty"\n', "--delimiter", "\\t",
                   delimiter="\t")
        self.check('a;b\n1,5;"x;y"\n', "--delimiter", ";", delimiter=";")

    def test_no_header(self):
        self.check("1,x\n2,y\n", "--no-header", header=False)

    def test_header_only(self):
        self.check("a,b\n")
        self.check("a,b")

    def test_huge_fields(self):
        n = 16 * 1024 * 1024
        self.check('a,b\n1,%s\n2,"%s"\n3,x\n'
                   % ("y" * (n - 2), "z\n" * 4000000))

    def test_rows_over_many_batches_keep_their_order(self):
        rows = 20000 if SLOW else 200000
        path = self.path("in.csv")
        with open(path, "wb") as f:
            subprocess.run([GEN_CSV, str(rows)], stdout=f, check=True)
        for workers in ("1", "2", "5"):
            self.check_same_as_python(path, "--workers", workers)

    def test_random_tables(self):
        rng = random.Random(1)
        words = ["", "", "1", "-5", "007", "2.50", "1e5", "a", " b ", '"',
                 'say "hi"', "x,y", "line\nend", "cr\r\n", "ü", ",", '""',
                 "9223372036854775808", "123456789012345.5", "-0", "0.10"]
        for _ in range(10 if SLOW else 100):
            width = rng.randrange(1, 6)
            end = rng.choice(["\n", "\r\n", "\r"])
            path = self.path("in.csv")
            with open(path, "w", newline="", encoding="utf-8") as f:
                # With lone CRs the writer forgets to quote an LF.
                w = csv.writer(f, lineterminator=end,
                               quoting=csv.QUOTE_ALL if end == "\r" else
                               rng.choice([csv.QUOTE_MINIMAL,
                                           csv.QUOTE_ALL]))
                w.writerow(["n%d" % i for i in range(width)])
                common = [rng.sample(words, 3) for _ in range(width)]
                for _ in range(rng.randrange(300)):
                    w.writerow([rng.choice(c) if rng.random() < 0.97 else
                                rng.choice(words) for c in common])
            self.check_same_as_python(path)


class Types(Case):
    def test_identifiers_stay_text(self):
        self.load(self.file("t.csv", "a,b,c\n002272,5885E9,+1\n7,8,9\n"))
        self.assertEqual(self.rows("t"),
                         [("002272", "5885E9", "+1"), ("7", "8", "9")])

    def test_columns_are_declared_without_type(self):
        self.load(self.file("t.csv", "a,b\n1,x\n"))
        self.assertEqual(self.columns("t"), [("a", ""), ("b", "")])

    def test_late_misfits_are_kept_counted_and_reported(self):
        path = self.file("t.csv", "a,b\n" + "1,2.5\n" * 10000 +
                         "007,x\n\n8,1e3\n")
        done = self.load(path)
        self.assertIn("a INTEGER (1 did not fit", done.stdout)
        self.assertIn("b REAL (2 did not fit", done.stdout)
        self.assertEqual(self.rows("t")[-2:], [("007", "x"), (8, "1e3")])

    def test_types_are_guessed_from_10000_rows(self):
        path = self.file("t.csv", "a\n" + "1\n" * 9999 + "x\n")
        self.assertIn("a TEXT", self.load(path).stdout)

    def test_given_types_win(self):
        self.load(self.file("t.csv", "a,b\n1,1\n2,x\n"), "--type", "a=TEXT",
                  "--type", "b=REAL")
        self.assertEqual(self.rows("t"), [("1", 1.0), ("2", "x")])

    def test_empty_field_is_empty_text_or_null(self):
        path = self.file("t.csv", 'a,b\n1,\n,""\n')
        self.load(path)
        self.assertEqual(self.rows("t"), [(1, ""), ("", "")])
        self.load(path, "--replace", "--empty-null")
        self.assertEqual(self.rows("t"), [(1, None), (None, None)])


class Rows(Case):
    FILE = "id,user,amount\n1,bob,10.01\n2,eve,200.5\n3,Al,7\n"

    def test_select_rename_filter_and_derive(self):
        done = self.load(self.file("t.csv", self.FILE), "--select",
                         "user,gross,id", "--rename", "id=number",
                         "--where", "amount < 100", "--where", "user != 'x'",
                         "--derive", "user=upper(user)", "--derive",
                         "gross=mul(amount,2)")
        self.assertEqual([c[0] for c in self.columns("t")],
                         ["user", "gross", "number"])
        self.assertEqual(self.rows("t"),
                         [("BOB", 20.02, 1), ("AL", 14.0, 3)])
        self.assertIn("3 read = 2 loaded + 0 rejected + 1 filtered",
                      done.stdout)

    def test_row_hooks_can_be_used(self):
        self.load(self.file("t.csv", "mail\nbob@example.org\n"), "--derive",
                  "domain=domain(mail)")
        self.assertEqual(self.rows("t"), [("bob@example.org", "example.org")])

    def test_duplicate_and_empty_names(self):
        self.load(self.file("t.csv", 'a,A,,"x ""y""",a\n1,2,3,4,5\n'))
        self.assertEqual([c[0] for c in self.columns("t")],
                         ["a", "A_2", "column_3", 'x "y"', "a_3"])


class Rejects(Case):
    def test_ragged_rows(self):
        done = self.load(self.file("t.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n"))
        self.assertEqual(self.rows("t"), [(1, 2), (7, 8)])
        self.assertIn("4 read = 2 loaded + 2 rejected + 0 filtered",
                      done.stdout)
        self.assertEqual(
            [(r["line"], r["offset"], r["reason"], r["raw"])
             for r in self.rejects("t.csv.rejects")],
            [("3", "8", "1 field instead of 2", "3"),
             ("4", "10", "3 fields instead of 2", "4,5,6")])

    def test_malformed_quotes_cost_only_their_lines(self):
        content = ('a,b\n1,"x"y\n2,ok\n3,"two\nlines" ,z\n4,ok\n'
                   '5,never "closed\n6,"never closed\n7,ok\n8,ok')
        self.load(self.file("t.csv", content))
        self.assertEqual(self.rows("t"), [(2, "ok"), (4, "ok"),
                                          (5, 'never "closed'), (7, "ok"),
                                          (8, "ok")])
        rejects = self.rejects("t.csv.rejects")
        self.assertEqual([r["line"] for r in rejects], ["2", "4", "8"])
        for r in rejects:
            self.assertTrue(content[int(r["offset"]):].startswith(r["raw"]))
        self.assertEqual(rejects[1]["raw"], '3,"two\nlines" ,z')
        self.assertEqual([r["reason"] for r in rejects],
                         ["text after a closing quote"] * 2 +
                         ["quote never closed"])

    def test_row_over_16_mib(self):
        big = "x" * (16 * 1024 * 1024 + 1)
        self.load(self.file("t.csv", "a,b\n1,2\n%s,2\n3,4\n" % big))
        self.assertEqual(self.rows("t"), [(1, 2), (3, 4)])
        (r,) = self.rejects("t.csv.rejects")
        self.assertEqual((r["line"], r["offset"], r["reason"]),
                         ("3", "8", "row over 16 MiB"))
        self.assertEqual(len(r["raw"]), 64 * 1024)

    def test_quote_open_for_16_mib_costs_one_line(self):
        lines = 200000
        content = "a,b\n" + '0,"open\n' + "".join(
            "%d,%s\n" % (i, "y" * 100) for i in range(1, lines))
        self.load(self.file("t.csv", content))
        self.assertEqual([r[0] for r in self.rows("t")],
                         list(range(1, lines)))

    def test_no_rejects_no_file_and_an_old_one_goes(self):
        self.file("t.csv.rejects", "old")
        self.load(self.file("t.csv", "a\n1\n"))
        self.assertFalse(os.path.exists(self.path("t.csv.rejects")))

    def test_one_rejects_file_for_several_inputs(self):
        self.load(self.file("a.csv", "a,b\n1\n"), self.file("b.csv",
                  "a,b\n1,2,3\n"), "--rejects", self.path("bad"))
        self.assertEqual([r["file"] for r in self.rejects("bad")],
                         [self.path("a.csv"), self.path("b.csv")])

    def test_max_rejects(self):
        path = self.file("t.csv", "a,b\n1,2\n3\n4\n5\n")
        self.load(path, "--max-rejects", "3")
        os.unlink(self.path("out.db"))
        done = self.load(path, "--max-rejects", "2", code=12)
        self.assertIn("more than 2 rejected", done.stderr)
        self.assertIn("nothing was written", done.stderr)
        self.assertFalse(os.path.exists(self.path("out.db")))


class Tables(Case):
    def test_a_table_per_file(self):
        self.load(self.file("x.csv", "a\n1\n"), self.file("y z.v2.csv",
                                                          "b\n2\n"))
        self.assertEqual(self.tables(), ["x", "y z.v2"])
        self.assertEqual(self.rows("y z.v2"), [(2,)])

    def test_files_into_one_table(self):
        self.load(self.file("x.csv", "a,b\n1,x\n"),
                  self.file("y.csv", "a,b\n02,y\n"), "--table", "t")
        self.assertEqual(self.rows("t"), [(1, "x"), ("02", "y")])

    def test_append_and_replace(self):
        path = self.file("t.csv", "a\n1\n")
        self.load(path)
        self.load(path, "--append")
        self.assertEqual(self.rows("t"), [(1,), (1,)])
        self.load(self.file("t.csv", "b,c\n2,3\n"), "--replace")
        self.assertEqual(self.rows("t"), [(2, 3)])

    def test_failed_replace_leaves_the_old_table(self):
        self.load(self.file("t.csv", "a\n1\n"))
        self.load(self.file("t.csv", "a,b\n1,2\n3\n"), "--replace",
                  "--max-rejects", "0", code=12)
        self.assertEqual(self.rows("t"), [(1,)])

    def test_journal_modes(self):
        for mode in ("wal", "delete", "truncate", "persist", "memory", "off"):
            path = self.file("t.csv", "a\n1\n2\n")
            self.load(path, "--replace", "--journal", mode, "--sync", "full")
            self.assertEqual(self.rows("t"), [(1,), (2,)])

    def test_existing_database_keeps_its_journal_mode(self):
        con = sqlite3.connect(self.path("out.db"))
        con.execute("create table other(x)")
        con.close()
        self.load(self.file("t.csv", "a\n1\n"))
        con = sqlite3.connect(self.path("out.db"))
        self.assertEqual(con.execute("pragma journal_mode").fetchone(),
                         ("delete",))
        con.close()


class Errors(Case):
    def fails(self, code, text, *args, **popen):
        done = self.load(*args, code=code, **popen)
        self.assertIn(text, done.stderr)
        self.assertEqual(done.stdout, "")
        return done

    def good(self):
        return self.file("good.csv", "a,b\n1,2\n")

    def nothing_was_made(self):
        self.assertFalse(os.path.exists(self.path("out.db")))

    def test_wrong_options_are_2(self):
        self.fails(2, "--nope", self.good(), "--nope")
        self.fails(2, "'c'", self.good(), "--where", "c = 1")
        self.run_ingest(self.good(), code=2)
        self.run_ingest("--into", self.path("out.db"), code=2)
        self.nothing_was_made()

    def test_missing_file_is_3(self):
        self.fails(3, "missing.csv", self.good(), self.path("missing.csv"))
        self.nothing_was_made()

    def test_unreadable_file_is_4(self):
        path = self.file("secret.csv", "a\n1\n")
        os.chmod(path, 0o600)
        if os.getuid() != 0:
            os.chmod(path, 0)
            self.fails(4, "secret.csv", path)
            return
        mine = self.path("ingest")
        shutil.copy(INGEST, mine)
        os.chmod(mine, 0o755)
        os.mkdir(self.path("out"))
        os.chmod(self.path("out"), 0o777)

        def drop():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        done = subprocess.run([mine, path, "--into", self.path("out/o.db")],
                              stderr=subprocess.PIPE, text=True,
                              preexec_fn=drop)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("secret.csv", done.stderr)
        self.assertIn("Permission denied", done.stderr)

    def test_directory_is_5(self):
        self.fails(5, "directory", self.dir)
        self.fails(5, "/dev/null", "/dev/null")

    def test_empty_file_is_6(self):
        self.fails(6, "empty", self.file("e.csv", ""))
        self.fails(6, "empty", self.file("e.csv", "\n\n"))
        self.fails(6, "empty", self.file("e.csv", b"\xef\xbb\xbf"))
        self.nothing_was_made()

    def test_unusable_header_is_7(self):
        self.fails(7, "malformed", self.file("h.csv", '"a"x,b\n1,2\n'))
        self.fails(7, "columns", self.file("h.csv", "a," * 2000 + "b\n"))
        self.fails(7, "NUL", self.file("h.csv", b"a\0b\n1\n"))
        self.fails(7, "differs", self.good(), self.file("h.csv", "a,c\n"),
                   "--table", "t")

    def test_bad_database_is_8(self):
        self.file("out.db", "this is no database, is it? " * 100)
        self.fails(8, "not a database", self.good())
        self.run_ingest(self.good(), "--into", self.dir, code=8)
        self.run_ingest(self.good(), "--into", self.path("no/such/x.db"),
                        code=8)

    def test_locked_database_is_9(self):
        for lock in ("exclusive", "immediate"):
            con = sqlite3.connect(self.path("out.db"), isolation_level=None)
            con.execute("create table if not exists other(x)")
            con.execute("begin " + lock)
            done = self.fails(9, "locked", self.good(), "--busy-timeout", "50")
            self.assertIn("nothing was written", done.stderr)
            con.execute("rollback")
            self.assertEqual(self.tables(), ["other"])
            con.close()

    def test_lock_that_goes_away_is_waited_for(self):
        con = sqlite3.connect(self.path("out.db"), isolation_level=None)
        con.execute("begin exclusive")
        child = subprocess.Popen([INGEST, "-q", self.good(), "--into",
                                  self.path("out.db"), "--busy-timeout",
                                  "20000"])
        time.sleep(0.3)
        con.execute("rollback")
        con.close()
        self.assertEqual(child.wait(), 0)
        self.assertEqual(self.rows("good"), [(1, 2)])

    def big(self, rows=60000):
        path = self.path("big.csv")
        with open(path, "wb") as f:
            subprocess.run([GEN_CSV, str(rows)], stdout=f, check=True)
        return path

    def test_file_size_limit_is_10(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        for journal in ("wal", "delete"):
            done = self.fails(10, "too large", self.big(), "--journal",
                              journal, preexec_fn=limit)
            self.assertIn("nothing was written", done.stderr)
            self.nothing_was_made()

    def test_full_disk_is_10_and_what_was_committed_stays(self):
        where = self.path("tmpfs")
        os.mkdir(where)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs",
                           where], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no tmpfs can be mounted")
        try:
            db = os.path.join(where, "o.db")
            done = self.run_ingest(self.big(), "--into", db, "--journal",
                                   "delete", "--commit-rows", "10000",
                                   code=10)
            self.assertIn("full", done.stderr)
            kept = int(re.search(r"holds (\d+) rows", done.stderr).group(1))
            self.assertGreater(kept, 0)
            con = sqlite3.connect(db)
            self.assertEqual(con.execute("select count(*), max(id) from big")
                             .fetchone(), (kept, kept - 1))
            con.close()
        finally:
            subprocess.run(["umount", where], check=True)

    def test_existing_table_is_11(self):
        self.load(self.good())
        self.fails(11, "'good'", self.file("x.csv", "a\n1\n"), self.good())
        self.assertEqual(self.tables(), ["good"])

    def test_unwritable_rejects_file_is_13(self):
        self.fails(13, "no/such", self.file("r.csv", "a,b\n1\n"), "--rejects",
                   self.path("no/such/file"))
        self.nothing_was_made()

    def test_inputs_are_never_overwritten(self):
        path = self.good()
        self.fails(2, "good.csv", path, "--rejects", path)
        self.run_ingest(path, "--into", path, code=2)
        with open(path) as f:
            self.assertEqual(f.read(), "a,b\n1,2\n")

    def test_failure_says_what_was_committed(self):
        content = "a,b\n" + "1,2\n" * 20000 + "3\n"
        done = self.fails(12, "holds 16384 rows",
                          self.file("t.csv", content), "--max-rejects", "0",
                          "--commit-rows", "8192")
        self.assertEqual(len(self.rows("t")), 16384, done.stderr)


class Ends(Case):
    def interrupted(self, signo):
        path = self.path("in.csv")
        with open(path, "wb") as f:
            subprocess.run([GEN_CSV, "3000000"], stdout=f, check=True)
        child = subprocess.Popen([INGEST, path, "--into", self.path("out.db")],
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        wal = self.path("out.db-wal")
        while child.poll() is None:
            if os.path.exists(wal) and os.path.getsize(wal) > 100000:
                child.send_signal(signo)
                break
            time.sleep(0.001)
        out, err = child.communicate()
        self.assertEqual(child.returncode, 128 + signo, out + err)
        kept = int(re.search(r"holds (\d+) rows", err).group(1))
        self.assertIn("%d read = %d loaded + 0 rejected + 0 filtered"
                      % (kept, kept), out)
        con = sqlite3.connect(self.path("out.db"))
        self.assertEqual(con.execute('pragma integrity_check').fetchone(),
                         ("ok",))
        self.assertEqual(con.execute('select count(*), min(id), max(id), '
                                     'count(distinct id) from "in"')
                         .fetchone(), (kept, 0, kept - 1, kept))
        con.close()
        self.assertLess(kept, 3000000)

    def test_ctrl_c_commits_what_was_read_and_says_so(self):
        self.interrupted(signal.SIGINT)

    def test_sigterm_likewise(self):
        self.interrupted(signal.SIGTERM)

    def long_file(self):
        path = self.path("in.csv")
        with open(path, "wb") as f:
            subprocess.run([GEN_CSV, "600000"], stdout=f, check=True)
        return path

    def test_progress_is_lines(self):
        self.assertNotIn("\r", self.load(self.long_file()).stderr)

    def test_progress_is_a_bar_on_a_terminal(self):
        path = self.long_file()
        try:
            master, slave = pty.openpty()
        except OSError as error:  # a root directory without /dev/pts
            self.skipTest(f"no terminal can be had: {error}")
        child = subprocess.Popen([INGEST, path, "--into",
                                  self.path("out.db"), "--replace"],
                                 stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        seen = b""
        try:
            while True:
                seen += os.read(master, 4096)
        except OSError:
            os.close(master)
        self.assertEqual(child.wait(), 0)
        self.assertRegex(seen.decode(), r"\r\[#*\.*\] +\d+ %  \d+ rows/s  "
                         r"[\d.]+ MB/s  ETA \d+:\d\d  slowest: \w+")

    def test_quiet_says_nothing(self):
        done = self.load(self.file("t.csv", "a\n1\n"), "-q")
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_help_and_version(self):
        self.assertIn("--derive", self.run_ingest("--help").stdout)
        self.assertIn("130", self.run_ingest("--help").stdout)
        self.assertRegex(self.run_ingest("--version").stdout, r"^ingest \d")

    def peak_mib(self, *args):
        pid = os.fork()
        if pid == 0:
            os.execv(INGEST, [INGEST, "-q", *args, "--into",
                              self.path("out.db"), "--replace"])
        _, status, usage = os.wait4(pid, 0)
        self.assertEqual(status, 0)
        return usage.ru_maxrss / 1024

    @unittest.skipIf(SANITIZED, "sanitizers need memory of their own")
    def test_memory_stays_under_256_mb_whatever_the_file(self):
        path = self.path("in.csv")
        with open(path, "wb") as f:
            subprocess.run([GEN_CSV, "1500000"], stdout=f, check=True)
        self.assertLess(self.peak_mib(path), 64)
        with open(path, "wb") as f:
            f.write(b"a,b\n")
            for i in range(12):
                f.write(b'%d,"%s"\n' % (i, b"0123456\n" * 2090000))
        self.assertLess(self.peak_mib(path, "--workers", "4"), 244)
        with open(path, "wb") as f:
            f.write(b"a," * 999 + b"b\n")
            f.write((b"," * 999 + b"\n") * 60000)
        self.assertLess(self.peak_mib(path, "--workers", "32"), 244)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=1)
