/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows' scenes in the simulator: each seed plays one of them in another
 * schedule, with slow turns, late wake-ups and timers at the worst moment.
 * What its actors note has to be what the row's trace says, as on real workers
 * and in Erlang.
 */
#include "player.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/sim.h>

enum { ROWS = 128 };

static struct {
	unsigned rows;
	struct script *row[ROWS];
} all;

/* The first line of what was noted that is not as expected. */
static void
first_difference(const char *noted, const char *expected, char line[256])
{
	size_t i = 0, from = 0;

	while (noted[i] != '\0' && noted[i] == expected[i])
		if (noted[i++] == '\n')
			from = i;
	(void)snprintf(line, 256, "noted \"%.*s\", not \"%.*s\"",
	    (int)strcspn(noted + from, "\n"), noted + from,
	    (int)strcspn(expected + from, "\n"), expected + from);
}

static void
scene_is_as_expected(struct tr_sim *sim, const struct script *row,
    struct script_scene *scene, const char *trace)
{
	char *noted = NULL, *expected = script_expected(trace, scene->name);
	char line[256];
	size_t size;
	FILE *to = open_memstream(&noted, &size);

	if (to != NULL) {
		script_print(scene, to);
		fclose(to);
	}
	if (to == NULL || noted == NULL || expected == NULL)
		abort(); /* no memory */
	first_difference(noted, expected, line);
	tr_sim_check(sim, strcmp(noted, expected) == 0, "%s, scene %s: %s",
	    row->path, scene->name, line);
	free(noted);
	free(expected);
}

static void
a_scene(struct tr_sim *sim, void *arg)
{
	struct script *row = all.row[tr_sim_random(sim, all.rows)];
	struct script_scene *scene =
	    &row->scene[tr_sim_random(sim, row->scenes)];
	char trace[512];
	struct tr_stats before, after; /* the simulator has actors of its own */

	(void)arg;
	if (script_deaf(scene) > 0)
		return; /* here a handler takes no time */
	script_reset(scene);
	(void)tr_stats(tr_sim_system(sim), &before);
	(void)tr_sim_spawn(sim, &player_behavior, &scene->actor[0]);
	tr_sim_faults(sim, TR_FAULT_SLOW | TR_FAULT_WAKE | TR_FAULT_CLOCK);
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(60)) == TR_OK,
	    "no rest");
	(void)tr_stats(tr_sim_system(sim), &after);
	tr_sim_check(sim, after.actors == before.actors,
	    "%s, scene %s does not end", row->path, scene->name);
	(void)snprintf(trace, sizeof(trace), "%.*s.trace",
	    (int)strlen(row->path) - (int)strlen(".script"), row->path);
	scene_is_as_expected(sim, row, scene, trace);
}

int
main(int argc, char **argv)
{
	glob_t found;
	int rc;

	if (glob(CONFORMANCE_ROWS "/*.script", 0, NULL, &found) != 0 ||
	    glob(CONFORMANCE_ROWS "/troupe/*.script", GLOB_APPEND, NULL,
		&found) != 0)
		return 1;
	for (size_t i = 0; i < found.gl_pathc && all.rows < ROWS; i++)
		all.row[all.rows++] = script_read(found.gl_pathv[i]);
	rc = tr_sim_main(argc, argv, a_scene, NULL);
	while (all.rows > 0)
		script_free(all.row[--all.rows]);
	globfree(&found);
	return rc;
}
