/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro.h - the micro benchmarks, one file for one or two of them.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include "bench.h"

void pingpong_run(struct bench *b);
void count_run(struct bench *b);
void nto1_run(struct bench *b);
void ring_run(struct bench *b);
void fjthrput_run(struct bench *b);
void fjcreate_run(struct bench *b);
void big_run(struct bench *b);
void fib_run(struct bench *b);
void pingpong_typed_run(struct bench *b);
void idle_actor_run(struct bench *b);
void spawn_run(struct bench *b);
void ask_run(struct bench *b);
void timer_run(struct bench *b);
void msg1k_run(struct bench *b);
void post_run(struct bench *b);
void wake_run(struct bench *b);
void restart_run(struct bench *b);
void idle_wakeups_run(struct bench *b);
void start_stop_run(struct bench *b);

/** `troupe-bench micro`: their own report, beside their budgets. */
int micro_main(int argc, char *argv[]);

#endif /* BENCH_MICRO_H */
