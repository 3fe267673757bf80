/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptions that are refused before anything is spawned, and what is said
 * about them.
 */
#include "rig_tree.h"

static struct tr_system *sys;

static int
setup(void **state)
{
	(void)kit_setup(state);
	tree_reset();
	return tr_system_new(&sys,
		   &(struct tr_options){ .workers = 2, .log = tree_log }) ==
		TR_OK ?
	    0 :
	    -1;
}

static int
teardown(void **state)
{
	(void)kit_teardown(state);
	return tr_system_free(sys) == TR_OK ? 0 : -1;
}

/* Refused, and nothing was spawned; the log says why. */
static void
refused(const struct tr_supervisor *spec, const char *why)
{
	struct tr_stats stats;
	int error = 0;

	tree.lines = 0;
	assert_false(tr_ref_valid(tr_supervisor_system_spawn(sys, spec,
	    &(struct tr_spawn_options){ .error = &error })));
	assert_int_equal(error, TR_EINVAL);
	assert_int_equal(tree.lines, 1);
	if (strstr(tree.line[0], why) == NULL)
		printf("%s, not %s\n", tree.line[0], why);
	assert_non_null(strstr(tree.line[0], why));
	assert_int_equal(tr_stats(sys, &stats), TR_OK);
	assert_int_equal(stats.spawned, 0);
}

static void
refused_child(struct tr_child child, const char *why)
{
	const struct tr_child children[] = { { MEMBER(a) }, child };
	const struct tr_supervisor spec = {
		.name = "top",
		.auto_shutdown = TR_AUTO_SHUTDOWN_ANY,
		TR_CHILDREN(children),
	};
	char text[200];

	snprintf(text, sizeof(text), "supervisor top: child %s (1): %s",
	    child.id != NULL && child.id[0] != '\0' &&
		    strlen(child.id) <= TR_CHILD_ID_MAX ?
		child.id :
		"?",
	    why);
	refused(&spec, text);
}

static const struct tr_behavior deaf = { .name = "deaf" };
static const struct tr_supervisor empty = { .name = "empty" };

#define ID .id = "x", .behavior = &member

static void
bad_children(void **unused)
{
	const char *id = "an-id-of-48-bytes-is-one-byte-too-long----------";
	char name[65];

	(void)unused;
	memset(name, 'n', 64);
	name[64] = '\0';
	refused_child((struct tr_child){ .id = "x" }, "either a behavior or");
	refused_child((struct tr_child){ ID, .supervisor = &empty },
	    "either a behavior or");
	refused_child((struct tr_child){ .id = "x", .behavior = &deaf },
	    "a behavior without receive");
	refused_child((struct tr_child){ .behavior = &member }, "an id of 1");
	refused_child((struct tr_child){ .id = "", .behavior = &member },
	    "an id of 1 to 47 bytes");
	refused_child((struct tr_child){ .id = id, .behavior = &member },
	    "an id of 1 to 47 bytes");
	refused_child((struct tr_child){ MEMBER(a) },
	    "its id is another child's");
	refused_child((struct tr_child){ ID, .name = "" }, "a name of 1");
	refused_child((struct tr_child){ ID, .name = name }, "a name of 1");
	refused_child((struct tr_child){ ID, .restart = (enum tr_restart)3 },
	    "no such restart");
	refused_child((struct tr_child){ ID, .shutdown_ns = -2 },
	    "shutdown_ns is negative");
	refused_child((struct tr_child){ ID, .significant = true },
	    "significant, but permanent");
}

enum { MANY = 100000 };

/* Each pair of them is not compared: that would take minutes. */
static void
one_of_many_comes_twice(void **unused)
{
	struct tr_child *child = calloc(MANY, sizeof(*child));
	char(*id)[8] = calloc(MANY, sizeof(*id));
	const struct tr_supervisor spec = {
		.name = "crowd",
		.children = child,
		.child_count = MANY,
	};

	(void)unused;
	assert_non_null(child);
	assert_non_null(id);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(id[i], sizeof(id[i]), "%u", i % (MANY - 1));
		child[i] =
		    (struct tr_child){ .id = id[i], .behavior = &member };
	}
	refused(&spec,
	    "supervisor crowd: child 0 (99999): its id is another child's");
	free(id);
	free(child);
}

static void
bad_backoffs(void **unused)
{
	(void)unused;
	refused_child((struct tr_child){ ID, .backoff.min_ns = -1 },
	    "backoff: a negative time");
	refused_child((struct tr_child){ ID,
			  .backoff = { .min_ns = 5, .max_ns = 4 } },
	    "backoff: max_ns is below min_ns");
	refused_child((struct tr_child){ ID, .backoff.max_ns = 4 },
	    "backoff: max_ns without min_ns");
	refused_child((struct tr_child){ ID,
			  .backoff = { .min_ns = 5, .jitter_percent = 101 } },
	    "backoff: jitter beyond");
}

static void
refused_options(struct tr_spawn_options options, const char *why)
{
	refused_child((struct tr_child){ ID, .options = &options }, why);
}

static void
bad_options(void **unused)
{
	uint64_t monitor;
	int error;

	(void)unused;
	refused_options((struct tr_spawn_options){ .name = "n" },
	    "options.name: the child's own");
	refused_options((struct tr_spawn_options){ .link = true },
	    "options: no link, monitor or error");
	refused_options((struct tr_spawn_options){ .monitor = &monitor },
	    "options: no link, monitor or error");
	refused_options((struct tr_spawn_options){ .error = &error },
	    "options: no link, monitor or error");
	refused_options((struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
			    .worker = 2 },
	    "options: no such place");
	refused_options((struct tr_spawn_options){ .max_items = 1 << 23 },
	    "options: a bound out of range");
}

static void
bad_supervisors(void **unused)
{
	const struct tr_child two[] = { { MEMBER(a) }, { MEMBER(b) } };
	const struct tr_child one[] = { { MEMBER(a), .restart = TR_TRANSIENT,
	    .significant = true } };

	(void)unused;
	refused(&(struct tr_supervisor){ .strategy = (enum tr_strategy)4 },
	    "supervisor supervisor: no such strategy");
	refused(NULL, "no description");
	refused(&(struct tr_supervisor){ .intensity = -2 }, "intensity");
	refused(&(struct tr_supervisor){ .intensity = 10001 }, "intensity");
	refused(&(struct tr_supervisor){ .period_ns = -1 }, "period_ns");
	refused(&(struct tr_supervisor){ .auto_shutdown =
					     (enum tr_auto_shutdown)3 },
	    "no such auto_shutdown");
	refused(&(struct tr_supervisor){ .child_count = 1 },
	    "children without an array");
	refused(&(struct tr_supervisor){ .strategy = TR_SIMPLE_ONE_FOR_ONE,
		    TR_CHILDREN(two) },
	    "simple_one_for_one needs exactly one");
	refused(&(struct tr_supervisor){ .strategy = TR_SIMPLE_ONE_FOR_ONE },
	    "simple_one_for_one needs exactly one");
	refused(&(struct tr_supervisor){ TR_CHILDREN(one) },
	    "its supervisor has no auto_shutdown");
}

/* What is wrong may be anywhere in a tree. */
static void
bad_beneath(void **unused)
{
	const struct tr_child leaves[] = { { MEMBER(a) }, { .id = "x" } };
	const struct tr_supervisor low = { .name = "low", TR_CHILDREN(leaves) };
	const struct tr_child branches[] = { { MEMBER(b) },
		{ .id = "empty", .supervisor = &empty },
		{ .id = "low", .supervisor = &low } };
	const struct tr_supervisor top = { .name = "top",
		TR_CHILDREN(branches) };

	(void)unused;
	refused(&top, "supervisor low: child x (1): either a behavior or");
}

static struct tr_supervisor chain[70];
static struct tr_child links[70];

/* So many above each other. */
static const struct tr_supervisor *
chain_of(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		links[i] = (struct tr_child){ .id = "next",
			.supervisor = &chain[i + 1] };
		chain[i] = (struct tr_supervisor){ .name = "link",
			.children = &links[i],
			.child_count = i + 1 < n ? 1 : 0 };
	}
	return &chain[0];
}

static const struct tr_supervisor circle;
static const struct tr_child itself[] = {
	{ MEMBER(a) },
	{ .id = "it", .supervisor = &circle },
	{ .id = "too", .supervisor = &circle },
};
static const struct tr_supervisor circle = { .name = "circle",
	TR_CHILDREN(itself) };

static struct tr_supervisor wide[41];
static struct tr_child twins[41][2];

/* Not too deep, but 2^40 supervisors. */
static const struct tr_supervisor *
doubled(void)
{
	for (unsigned i = 0; i < 40; i++) {
		twins[i][0] = (struct tr_child){ .id = "left",
			.supervisor = &wide[i + 1] };
		twins[i][1] = (struct tr_child){ .id = "right",
			.supervisor = &wide[i + 1] };
		wide[i] = (struct tr_supervisor){ .name = "wide",
			.children = twins[i],
			.child_count = 2 };
	}
	return &wide[0];
}

static void
too_much_of_it(void **unused)
{
	(void)unused;
	refused(chain_of(65), "more than 64 supervisors above each other");
	refused(&circle, "more than 64 supervisors above each other");
	refused(doubled(), "more than 1048576 children");
}

static void
sixty_four_above_each_other_are_allowed(void **unused)
{
	tr_ref top;

	(void)unused;
	top = tr_supervisor_system_spawn(sys, chain_of(64), NULL);
	assert_true(tr_ref_valid(top));
	assert_int_equal(tree.lines, 0);
}

#define SPEC_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPEC_TEST(bad_children),
		SPEC_TEST(one_of_many_comes_twice),
		SPEC_TEST(bad_backoffs),
		SPEC_TEST(bad_options),
		SPEC_TEST(bad_supervisors),
		SPEC_TEST(bad_beneath),
		SPEC_TEST(too_much_of_it),
		SPEC_TEST(sixty_four_above_each_other_are_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
