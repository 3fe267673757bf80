#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Loads a CSV file into SQLite the way asyncio tutorials do it: a task for
each row, gathered in chunks, and executemany() for each chunk.

usage: compare_asyncio.py FILE.csv FILE.db JOURNAL SYNC
"""
import asyncio
import csv
import sqlite3
import sys

CHUNK = 10000


async def transform(row):
    return (int(row[0]), row[1].upper(), row[2], row[3],
            round(float(row[4]) * 1.19, 2), int(row[5]), row[6])


async def main(source, target, journal, sync):
    db = sqlite3.connect(target)
    db.execute("pragma journal_mode = " + journal)
    db.execute("pragma synchronous = " + sync)
    db.execute("create table people(id integer, user text, email text, "
               "country text, amount real, ts integer, note text)")
    with open(source, newline="", encoding="utf-8") as f:
        reader = csv.reader(f)
        next(reader)
        while True:
            chunk = [row for _, row in zip(range(CHUNK), reader)]
            if not chunk:
                break
            tasks = [asyncio.create_task(transform(row)) for row in chunk]
            rows = await asyncio.gather(*tasks)
            db.executemany("insert into people values(?,?,?,?,?,?,?)", rows)
    db.commit()
    db.close()


asyncio.run(main(*sys.argv[1:5]))
