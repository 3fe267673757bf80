/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A supervisor's entries: their order, and finding them by id and by ref, also
 * when there is no memory for a larger table.
 */
#include "actors/supervise/supervise.h"
#include "kit.h"

enum { MANY = TEST_SCALE(20000), FEW = 500 };

static struct {
	long live;
	bool no_growth;
	unsigned refuse; /* the n-th from now on; 0: none */
	const char *purpose;
} world;

static void *
world_alloc(void *ctx, size_t size)
{
	(void)ctx;
	if (world.refuse > 0 && --world.refuse == 0)
		return NULL;
	if (world.no_growth && strcmp(world.purpose, "supervisor growth") == 0)
		return NULL;
	world.live++;
	return malloc(size);
}

static void
world_free(void *ctx, void *p)
{
	(void)ctx;
	world.live--;
	free(p);
}

static const struct tri_memory memory = {
	.alloc = world_alloc,
	.free = world_free,
	.purpose = &world.purpose,
};

static void
world_begin(struct tri_kids *kids, bool by_ref)
{
	memset(&world, 0, sizeof(world));
	assert_true(tri_kids_init(kids, &memory, by_ref));
}

static void
world_end(struct tri_kids *kids)
{
	tri_kids_fini(kids, &memory);
	assert_int_equal(world.live, 0);
}

static char id[MANY][24];
static struct tr_child spec[MANY];
static struct tri_kid *kid[MANY];

static void
fill(struct tri_kids *kids, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		snprintf(id[i], sizeof(id[i]), "child-%u", i);
		spec[i] = (struct tr_child){ .id = id[i] };
		kid[i] = tri_kid_new(kids, &memory, &spec[i]);
		assert_non_null(kid[i]);
	}
}

static void
by_id(bool no_growth, unsigned n)
{
	struct tri_kids kids;
	struct tri_kid *k;

	world_begin(&kids, false);
	world.no_growth = no_growth;
	fill(&kids, n);
	assert_int_equal(kids.buckets >= n, !no_growth);
	for (unsigned i = 0; i < n; i += 3)
		tri_kid_free(&kids, &memory, kid[i]);
	for (unsigned i = 0; i < n; i++)
		assert_ptr_equal(tri_kids_find_id(&kids, id[i]),
		    i % 3 == 0 ? NULL : kid[i]);
	k = tri_kids_first(&kids);
	for (unsigned i = 0; i < n; i++)
		if (i % 3 != 0) {
			assert_ptr_equal(k, kid[i]);
			k = tri_kids_next(&kids, k);
		}
	assert_null(k);
	assert_null(tri_kids_find_id(&kids, "child"));
	world_end(&kids);
}

static void
children_are_found_by_id(void **unused)
{
	(void)unused;
	by_id(false, MANY);
	by_id(true, FEW);
}

static tr_ref
ref_at(unsigned i)
{
	return (tr_ref){ UINT64_C(0x1234567800000000) + i + 1 };
}

static void
children_are_found_by_ref(void **unused)
{
	struct tri_kids kids;

	(void)unused;
	world_begin(&kids, true);
	fill(&kids, MANY);
	for (unsigned i = 0; i < MANY; i++)
		tri_kid_set_ref(&kids, &memory, kid[i], ref_at(i));
	/* Some have other actors now, some none. */
	for (unsigned i = 0; i < MANY; i += 2)
		tri_kid_set_ref(&kids, &memory, kid[i],
		    i % 4 == 0 ? ref_at(i + MANY) : TR_REF_NONE);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(tri_kids_find_ref(&kids, ref_at(i)),
		    i % 2 == 0 ? NULL : kid[i]);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(tri_kids_find_ref(&kids, ref_at(i + MANY)),
		    i % 4 == 0 ? kid[i] : NULL);
	assert_null(tri_kids_find_ref(&kids, TR_REF_NONE));
	assert_null(tri_kids_find_id(&kids, id[0]));
	world_end(&kids);
}

static void
a_copy_lives_alone(void **unused)
{
	struct tr_spawn_options options = { .max_items = 77 };
	char name[] = "name", own[] = "own", arg[] = "argument";
	const struct tr_child child = {
		.id = own,
		.name = name,
		.options = &options,
		.arg = arg,
	};
	struct tri_kids kids;
	struct tri_kid *k;

	(void)unused;
	world_begin(&kids, false);
	k = tri_kid_copy(&kids, &memory, &child, sizeof(arg));
	memset(own, 'x', 3);
	memset(name, 'x', 4);
	memset(arg, 'x', 8);
	options.max_items = 1;
	assert_ptr_equal(tri_kids_find_id(&kids, "own"), k);
	assert_string_equal(k->spec->name, "name");
	assert_string_equal(k->arg, "argument");
	assert_int_equal(k->spec->options->max_items, 77);
	world_end(&kids);
}

static void
what_is_not_granted_leaves_nothing_behind(void **unused)
{
	const struct tr_child child = { .id = "id", .arg = "argument" };
	struct tri_kids kids;

	(void)unused;
	for (unsigned n = 1; n <= 3; n++) {
		world_begin(&kids, false);
		world.refuse = n;
		assert_null(tri_kid_copy(&kids, &memory, &child, 9));
		assert_null(tri_kids_find_id(&kids, "id"));
		assert_int_equal(kids.count, 0);
		assert_non_null(tri_kid_copy(&kids, &memory, &child, 9));
		world_end(&kids);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(children_are_found_by_id),
		KIT_TEST(children_are_found_by_ref),
		KIT_TEST(a_copy_lives_alone),
		KIT_TEST(what_is_not_granted_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
