/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A system of one's own: a thread that is not the library's posts to an actor,
 * a signal stops it, and main() looks at what has happened.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <troupe.h>

enum { READING, STOP };
enum { READINGS = 1000 };

/* ------------------------------------------------------------- gauge ---- */

struct gauge {
	int64_t sum;
};

static int
gauge_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct gauge *g = state;
	const int64_t *value = tr_data(msg, sizeof(*value));

	if (tr_tag(msg) == READING && value != NULL) {
		g->sum += *value;
		return TR_OK;
	}
	if (tr_tag(msg) != STOP)
		return tr_unhandled(self, msg);
	printf("gauge: %" PRId64 "\n", g->sum);
	return tr_system_stop(tr_system_of(self), tr_in(self, TR_SECONDS(10)));
}

static const struct tr_behavior gauge = {
	.name = "gauge",
	.state_size = sizeof(struct gauge),
	.receive = gauge_receive,
};

/* ------------------------------------------------------------ sensor ---- */

struct sensor {
	struct tr_system *system;
	tr_ref gauge;
};

static void *
sensor_main(void *arg)
{
	const struct sensor *s = arg;
	int error = TR_OK;
	int64_t i;

	for (i = 1; i <= READINGS && error == TR_OK; i++)
		error = tr_post(s->system, s->gauge, READING, &i, sizeof(i));
	tr_post(s->system, TR_REF_NONE, READING, NULL, 0); /* to nobody */
	kill(getpid(), SIGTERM);
	return NULL;
}

/* -------------------------------------------------------------- main ---- */

static void
on_dead_letter(const struct tr_dead_letter *letter, void *ctx)
{
	(void)ctx;
	printf("dead letter: tag %" PRIu32 ", reason %d\n", letter->tag,
	    (int)letter->reason);
}

static void
show(struct tr_system *system, const struct tr_stop_report *report)
{
	struct tr_stats stats;

	tr_stats(system, &stats);
	printf("%" PRIu64 " sent, %" PRIu64 " handled, %" PRIu64 " to nobody\n",
	    stats.sent, stats.handled, stats.dead[TR_DEAD_NO_ACTOR]);
	printf("%" PRIu64 " stopped, %" PRIu64 " killed, %" PRIu64 " left\n",
	    report->stopped, report->killed, report->left);
}

/* Everything that may fail before the system runs. */
static int
prepare(struct sensor *s, struct tr_system *system, pthread_t *thread)
{
	int error;

	s->system = system;
	s->gauge = tr_system_spawn(system, &gauge, NULL, NULL);
	if (!tr_ref_valid(s->gauge))
		return TR_ENOMEM;
	error = tr_signal_send(system, SIGTERM, s->gauge, STOP);
	if (error != TR_OK)
		return error;
	return -pthread_create(thread, NULL, sensor_main, s);
}

int
main(void)
{
	const struct tr_options options = {
		.workers = 2,
		.on_dead_letter = on_dead_letter,
	};
	struct tr_stop_report report;
	struct tr_system *system;
	struct sensor sensor;
	pthread_t thread;
	int error;

	if (tr_system_new(&system, &options) != TR_OK)
		return 1;
	error = prepare(&sensor, system, &thread);
	if (error == TR_OK) {
		error = tr_system_run(system, &report);
		pthread_join(thread, NULL);
		if (error == TR_OK)
			show(system, &report);
	}
	if (error != TR_OK)
		fprintf(stderr, "%s\n", tr_strerror(error));
	return tr_system_free(system) == TR_OK && error == TR_OK ? 0 : 1;
}
