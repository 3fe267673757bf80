/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trees: large trees of supervisors start, and fall in their order.
 *
 * A static tree of 100,000 actors, ten supervisors of ten supervisors of 1,000
 * each: started and stopped.  Every child's stop() runs once, and each one's
 * after that of the next in its supervisor's list, at all levels.
 *
 * Then as many temporary children of one simple_one_for_one supervisor: every
 * second one ends by itself, the rest with the supervisor; before, it says how
 * many there are.
 *
 * Both give back all the memory that they took from the system's allocator.
 */
#include "long.h"

enum {
	FAN = 10, /* supervisors of a supervisor */
	LEAVES = FAN * FAN, /* supervisors with workers */
	WINDOW = 256, /* starts that are asked for at a time */
};

/* -------------------------------------------------------------- memory -- */

static atomic_llong blocks;

static void *
counted_alloc(void *ctx, size_t size, size_t align)
{
	void *p = aligned_alloc(align, (size + align - 1) / align * align);

	(void)ctx;
	if (p != NULL)
		atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed);
	return p;
}

static void
counted_free(void *ctx, void *p)
{
	(void)ctx;
	atomic_fetch_sub_explicit(&blocks, 1, memory_order_relaxed);
	free(p);
}

static const struct tr_allocator counted = {
	.alloc = counted_alloc,
	.free = counted_free,
};

/* All that was taken is back. */
static void
check_blocks(void)
{
	KIT_CHECK(atomic_load(&blocks) == 0);
}

/* --------------------------------------------------------- static tree -- */

/* What is stopped one behind the other.  Its supervisor stops a child only when
 * it has heard of the end of the one before, so nobody else writes. */
struct order {
	unsigned next; /* who is to stop; 0: all have stopped */
	struct order *above;
};

/* A worker: the nth of its supervisor, 1 the first. */
struct place {
	struct order *order;
	unsigned nth;
};

static struct {
	atomic_uint started, stopped;
	unsigned width; /* workers of a supervisor */
	struct order top, middle[FAN], bottom[LEAVES];
	struct place *place;
	struct tr_child *worker;
	struct tr_child leaf[LEAVES], branch[FAN];
	struct tr_supervisor leaves[LEAVES], branches[FAN], root;
	char (*id)[12];
} tree;

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(const struct place **)state = arg;
	atomic_fetch_add_explicit(&tree.started, 1, memory_order_relaxed);
	return TR_OK;
}

/* The last of a supervisor's children is the supervisor's own end, for what is
 * above it. */
static void
worker_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	const struct place *place = *(const struct place **)state;
	struct order *o = place->order;

	(void)self;
	KIT_CHECK(why->code == TR_SHUTDOWN);
	KIT_CHECK(o->next == place->nth);
	for (o->next--; o->next == 0 && o->above != NULL; o->next--)
		o = o->above;
	atomic_fetch_add_explicit(&tree.stopped, 1, memory_order_relaxed);
}

static const struct tr_behavior worker = {
	.name = "worker",
	.state_size = sizeof(struct place *),
	.start = worker_start,
	.receive = kit_ignore,
	.stop = worker_stop,
};

static void *
zeroed(size_t count, size_t size)
{
	void *p = calloc(count, size);

	KIT_CHECK(p != NULL);
	return p;
}

/* The nth supervisor of workers. */
static void
grow_leaf(unsigned n)
{
	unsigned i, first = n * tree.width;

	tree.bottom[n] = (struct order){ tree.width, &tree.middle[n / FAN] };
	for (i = first; i < first + tree.width; i++) {
		tree.place[i] =
		    (struct place){ &tree.bottom[n], i - first + 1 };
		tree.worker[i] = (struct tr_child){
			.id = tree.id[i - first],
			.behavior = &worker,
			.arg = &tree.place[i],
		};
	}
	tree.leaves[n] = (struct tr_supervisor){
		.name = "leaf",
		.children = &tree.worker[first],
		.child_count = tree.width,
	};
	tree.leaf[n] = (struct tr_child){
		.id = tree.id[n % FAN],
		.supervisor = &tree.leaves[n],
	};
}

static void
grow(unsigned width)
{
	unsigned i;

	memset(&tree, 0, sizeof(tree));
	tree.width = width;
	tree.id = zeroed(width > FAN ? width : FAN, sizeof(*tree.id));
	for (i = 0; i < width || i < FAN; i++)
		snprintf(tree.id[i], sizeof(*tree.id), "%u", i);
	tree.place = zeroed(LEAVES * (size_t)width, sizeof(*tree.place));
	tree.worker = zeroed(LEAVES * (size_t)width, sizeof(*tree.worker));
	tree.top.next = FAN;
	for (i = 0; i < LEAVES; i++)
		grow_leaf(i);
	for (i = 0; i < FAN; i++) {
		tree.middle[i] = (struct order){ FAN, &tree.top };
		tree.branches[i] = (struct tr_supervisor){
			.name = "branch",
			.children = &tree.leaf[(size_t)i * FAN],
			.child_count = FAN,
		};
		tree.branch[i] = (struct tr_child){
			.id = tree.id[i],
			.supervisor = &tree.branches[i],
		};
	}
	tree.root =
	    (struct tr_supervisor){ .name = "root", TR_CHILDREN(tree.branch) };
}

static void
show(const char *what, unsigned count, int64_t up, int64_t down)
{
	printf("%s of %u: up in %.1f ms, down in %.1f ms\n", what, count,
	    (double)up / 1e6, (double)down / 1e6);
	fflush(stdout);
}

static void
static_tree(unsigned width)
{
	struct kit k;
	int64_t begin, up, stop;

	grow(width);
	kit_new_with(&k, (struct tr_options){ .allocator = &counted });
	begin = long_clock();
	KIT_CHECK(
	    tr_ref_valid(tr_supervisor_system_spawn(k.sys, &tree.root, NULL)));
	kit_begin(&k);
	while (atomic_load(&tree.started) < LEAVES * width)
		kit_nap();
	up = long_clock();
	kit_stop(&k);
	stop = long_clock();
	KIT_CHECK(tree.started == LEAVES * width);
	KIT_CHECK(tree.stopped == LEAVES * width);
	KIT_CHECK(tree.top.next == 0);
	KIT_CHECK(k.stats.spawned == LEAVES * (width + 1) + FAN + 1);
	KIT_CHECK(k.stats.restarted == 0 && k.stats.failed == 0);
	KIT_CHECK(k.report.killed == 0);
	check_blocks();
	show("a tree", LEAVES * width, up - begin, stop - up);
	free(tree.worker);
	free(tree.place);
	free(tree.id);
}

/* --------------------------------------------------- dynamic children ---- */

enum { GO, END };

static struct {
	unsigned goal;
	atomic_uint started, stopped, ended;
	atomic_bool up;
	int64_t begin;
} flock;

static int
bird_start(struct tr_self *self, void *state, const void *arg)
{
	*(unsigned *)state = *(const unsigned *)arg;
	(void)self;
	atomic_fetch_add_explicit(&flock.started, 1, memory_order_relaxed);
	return TR_OK;
}

static int
bird_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	KIT_CHECK(tr_tag(msg) == END);
	return tr_exit(self, TR_NORMAL);
}

static void
bird_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	bool even = *(const unsigned *)state % 2 == 0;

	(void)self;
	KIT_CHECK(why->code == TR_SHUTDOWN || (even && why->code == TR_NORMAL));
	if (why->code == TR_NORMAL)
		atomic_fetch_add_explicit(&flock.ended, 1,
		    memory_order_relaxed);
	atomic_fetch_add_explicit(&flock.stopped, 1, memory_order_relaxed);
}

static const struct tr_behavior bird = {
	.name = "bird",
	.state_size = sizeof(unsigned),
	.arg_size = sizeof(unsigned),
	.start = bird_start,
	.receive = bird_receive,
	.stop = bird_stop,
};

static const struct tr_child pattern[] = {
	{ .id = "bird", .behavior = &bird, .restart = TR_TEMPORARY },
};

static const struct tr_supervisor aviary = {
	.name = "aviary",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(pattern),
};

struct keeper {
	tr_ref aviary;
	unsigned asked, answered;
};

/* The supervisor counts who is left: those who have not ended by themselves,
 * once it has heard of all who have. */
static int
on_count(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct tr_child_counts *n =
	    outcome == TR_OK ? tr_data(answer, sizeof(*n)) : NULL;

	(void)state, (void)cookie;
	KIT_CHECK(n != NULL && n->specs == 1 && n->supervisors == 0);
	KIT_CHECK(n->workers == n->active && n->active >= flock.goal / 2);
	if (n->active > flock.goal / 2)
		return tr_after(self, TR_MS(1), GO, 0) != 0 ? TR_OK : TR_ENOMEM;
	atomic_store(&flock.up, true);
	return TR_OK;
}

static int
on_bird(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t number)
{
	struct keeper *keeper = state;
	struct tr_child_info info;

	KIT_CHECK(tr_child_result(outcome, answer, &info) == TR_OK);
	KIT_CHECK(tr_ref_valid(info.ref));
	keeper->answered++;
	if (number % 2 == 0)
		kit_tell(self, info.ref, END);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keeper *keeper = state;

	(void)msg;
	if (keeper->answered == flock.goal)
		KIT_CHECK(tr_supervisor_count_children(self, keeper->aviary,
			      tr_forever(), on_count, 0) != 0);
	for (; keeper->asked < flock.goal &&
	     keeper->asked < keeper->answered + WINDOW;
	     keeper->asked++) {
		struct tr_child child = { .id = "bird",
			.behavior = &bird,
			.arg = &keeper->asked };

		KIT_CHECK(
		    tr_supervisor_start_child(self, keeper->aviary, &child,
			tr_forever(), on_bird, keeper->asked) != 0);
	}
	return TR_OK;
}

static int
keeper_start(struct tr_self *self, void *state, const void *arg)
{
	struct keeper *keeper = state;

	(void)arg;
	keeper->aviary = tr_supervisor_spawn(self, &aviary, NULL);
	KIT_CHECK(tr_ref_valid(keeper->aviary));
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior keeper_behavior = {
	.name = "keeper",
	.state_size = sizeof(struct keeper),
	.start = keeper_start,
	.receive = keeper_receive,
};

static void
dynamic_children(unsigned count)
{
	struct kit k;
	int64_t begin, up, stop;

	memset(&flock, 0, sizeof(flock));
	flock.goal = count;
	kit_new_with(&k, (struct tr_options){ .allocator = &counted });
	begin = long_clock();
	(void)kit_root(&k, &keeper_behavior, NULL);
	kit_begin(&k);
	while (!atomic_load(&flock.up))
		kit_nap();
	up = long_clock();
	kit_stop(&k);
	stop = long_clock();
	KIT_CHECK(flock.started == count && flock.stopped == count);
	KIT_CHECK(flock.ended == count / 2);
	KIT_CHECK(k.stats.spawned == count + 2);
	KIT_CHECK(k.stats.restarted == 0 && k.stats.failed == 0);
	check_blocks();
	show("a flock", count, up - begin, stop - up);
}

int
main(int argc, char **argv)
{
	struct long_run l = long_begin(argc, argv,
	    "trees of 100,000 supervised actors start, and fall in order");
	unsigned scale = l.small ? 10 : 1, rounds = 0;

	do {
		static_tree((unsigned)TEST_SCALE(1000) / scale);
		dynamic_children((unsigned)TEST_SCALE(10000) / scale / 2 * 2);
		dynamic_children((unsigned)TEST_SCALE(100000) / scale / 2 * 2);
		rounds++;
	} while (!l.small && rounds < 5 && long_time_left(&l, 60));
	printf("%u trees and %u flocks, all stopped in order, no block left\n",
	    rounds, 2 * rounds);
	return 0;
}
