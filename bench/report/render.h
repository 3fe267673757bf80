/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * render.h - `troupe-bench report`.
 */
#ifndef BENCH_RENDER_H
#define BENCH_RENDER_H

/** Make a report of a file of results; argv[0] is the command's name.  Returns
 * an exit code. */
int render_main(int argc, char *argv[]);

#endif /* BENCH_RENDER_H */
