/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.c - see progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BAR_WIDTH = 24, ETA_MAX_S = 359999 };

const char *
progress_bottleneck(const struct progress *p)
{
	const char *name = "writer";
	int64_t most = p->write_ns;
	int64_t parse_ns = p->parse_ns / (p->parsers > 0 ? p->parsers : 1);

	if (parse_ns > most) {
		most = parse_ns;
		name = "parsers";
	}
	if (p->cut_ns > most) {
		most = p->cut_ns;
		name = "cutter";
	}
	return p->read_ns > most ? "reader" : name;
}

static double
progress_part(const struct progress *p)
{
	if (p->total_bytes == 0 || p->bytes >= p->total_bytes)
		return 1;
	return (double)p->bytes / (double)p->total_bytes;
}

static void
progress_bar(double part, char bar[BAR_WIDTH + 1])
{
	size_t full = (size_t)(part * BAR_WIDTH);

	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', full);
	bar[BAR_WIDTH] = '\0';
}

size_t
progress_format(const struct progress *p, int64_t elapsed_ns, bool terminal,
    char line[PROGRESS_LINE_MAX])
{
	double seconds = (double)(elapsed_ns > 0 ? elapsed_ns : 1) / 1e9;
	double part = progress_part(p);
	double eta = part > 0 ? seconds / part - seconds : ETA_MAX_S;
	double rows_per_s = (double)p->rows / seconds;
	double mb_per_s = (double)p->bytes / seconds / 1e6;
	unsigned left = (unsigned)(eta < ETA_MAX_S ? eta : ETA_MAX_S);
	char bar[BAR_WIDTH + 1];
	int n;

	if (terminal) {
		progress_bar(part, bar);
		n = snprintf(line, PROGRESS_LINE_MAX,
		    "\r[%s] %3.0f %%  %.0f rows/s  %.1f MB/s  ETA %u:%02u  "
		    "slowest: %s\x1b[K",
		    bar, part * 100, rows_per_s, mb_per_s, left / 60, left % 60,
		    progress_bottleneck(p));
	} else {
		n = snprintf(line, PROGRESS_LINE_MAX,
		    "ingest: %.0f %%, %" PRIu64 " rows, %.0f rows/s, "
		    "%.1f MB/s, ETA %u s, slowest: %s\n",
		    part * 100, p->rows, rows_per_s, mb_per_s, left,
		    progress_bottleneck(p));
	}
	return n < PROGRESS_LINE_MAX ? (size_t)n : PROGRESS_LINE_MAX - 1;
}
