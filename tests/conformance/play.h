/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * play.h - play a row in a test, on real workers.
 *
 *     static void
 *     G4_every_monitor_brings_its_down(void **unused)
 *     {
 *             (void)unused;
 *             play_row("G4");
 *     }
 *
 * Every scene of rows/G4.script is played with 1, 2 and 4 workers; each time
 * what its actors noted has to be what rows/G4.trace says.  (Not with so few
 * that deaf actors leave none to the others.)
 */
#ifndef TESTS_CONFORMANCE_PLAY_H
#define TESTS_CONFORMANCE_PLAY_H

#include "kit.h"

#include "player.h"

enum { PLAY_DEADLINE_S = TEST_SCALE(60) == 60 ? 20 : 100 };

/* Until all of its actors have ended. */
static inline void
play_until_over(struct kit *k, struct script_scene *scene)
{
	int64_t until = tr_system_now(k->sys) + TR_SECONDS(PLAY_DEADLINE_S);
	struct tr_stats stats;

	do {
		kit_nap();
		(void)tr_stats(k->sys, &stats);
	} while (stats.actors > 0 && tr_system_now(k->sys) < until);
	if (stats.actors > 0) {
		printf("scene %s does not end\n", scene->name);
		script_print(scene, stdout);
		fflush(stdout);
		(void)tr_dump(k->sys, 1);
		abort();
	}
}

/* What its actors noted; to be freed. */
static inline char *
play_scene(struct script_scene *scene, unsigned workers, tr_log_fn *log)
{
	static struct kit k;
	size_t size = 0;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);

	KIT_CHECK(to != NULL);
	script_reset(scene);
	kit_new_with(&k, (struct tr_options){ .workers = workers, .log = log });
	KIT_CHECK(tr_ref_valid(
	    tr_system_spawn(k.sys, &player_behavior, &scene->actor[0], NULL)));
	kit_begin(&k);
	play_until_over(&k, scene);
	kit_stop(&k);
	script_print(scene, to);
	fclose(to);
	return text;
}

/* `log` gets the log's lines. */
static inline void
play_row_logged(const char *id, tr_log_fn *log)
{
	static const unsigned workers[] = { 1, 2, 4 };
	char path[512], trace[512], *expected, *noted;
	struct script *s;

	(void)snprintf(path, sizeof(path), CONFORMANCE_ROWS "/%s.script", id);
	(void)snprintf(trace, sizeof(trace), CONFORMANCE_ROWS "/%s.trace", id);
	s = script_read(path);
	for (unsigned i = 0; i < s->scenes * 3; i++) {
		struct script_scene *scene = &s->scene[i / 3];

		if (workers[i % 3] <= script_deaf(scene))
			continue;
		noted = play_scene(scene, workers[i % 3], log);
		expected = script_expected(trace, scene->name);
		assert_string_equal(noted, expected);
		free(noted);
		free(expected);
	}
	assert_true(s->scenes > 0);
	script_free(s);
}

static inline void
play_row(const char *id)
{
	play_row_logged(id, NULL);
}

#endif /* TESTS_CONFORMANCE_PLAY_H */
