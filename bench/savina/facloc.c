/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facloc.c - Savina 22, Online Facility Location: a tree that customers grow.
 *
 * A quadrant of a square serves the customers in it, each from the nearest
 * facility that it knows of.  When they have cost too much, it opens a facility
 * in its middle and hands them to four quadrants of its own.  News of it go up
 * to the root, and down into the quadrant diagonally opposite at each level.
 * The producer sends a customer when the root has passed on the one before.
 *
 * How many facilities open depends on whether news or customers come first.
 * Checked (the original prints how many of each there are): the root heard of
 * as many facilities as were opened, no customer is lost, and none is outside
 * of its quadrant.  Customers on a border belong to one quadrant here, in the
 * original to each that touches it.
 *
 * Quadrants end from the leaves up; news that are on their way into one that
 * has ended are dead letters, as they are in the original.
 */
#include <math.h>
#include <stdlib.h>

#include "savina.h"

enum { QUADRANTS = 4, ALPHA = 2 };

struct point {
	double x, y;
};

#define CITY(MSG, P)                           \
	MSG(P, next, TR_EMPTY)                 \
	MSG(P, customer, { struct point at; }) \
	MSG(P, opened, {                       \
		struct point at;               \
		uint32_t quadrant;             \
	})                                     \
	MSG(P, news, { struct point at; })     \
	MSG(P, finish, TR_EMPTY)               \
	MSG(P, finished, {                     \
		uint64_t facilities;           \
		uint64_t customers;            \
	})
TR_PROTOCOL(city, CITY);

/* ------------------------------------------------------------- points --- */

struct points {
	struct point *at;
	size_t count;
	size_t room;
};

static void
points_add(struct points *points, struct point point)
{
	if (points->count == points->room) {
		points->room = points->room > 0 ? 2 * points->room : 8;
		points->at =
		    realloc(points->at, points->room * sizeof(*points->at));
		bench_check(points->at != NULL, "facloc: memory");
	}
	points->at[points->count++] = point;
}

static void
points_free(struct points *points)
{
	free(points->at);
	*points = (struct points){ 0 };
}

static double
points_distance(const struct points *points, struct point to)
{
	double nearest = HUGE_VAL, x, y, distance;

	for (size_t i = 0; i < points->count; i++) {
		x = points->at[i].x - to.x;
		y = points->at[i].y - to.y;
		distance = sqrt(x * x + y * y);
		if (distance < nearest)
			nearest = distance;
	}
	return nearest;
}

struct box {
	struct point low, high;
};

static bool
box_has(const struct box *box, struct point point)
{
	return box->low.x <= point.x && box->low.y <= point.y &&
	    point.x <= box->high.x && point.y <= box->high.y;
}

/* ----------------------------------------------------------- quadrant --- */

/* The lists become the new quadrant's. */
struct quadrant_arg {
	city_ref parent; /* the root's: who gets the result */
	city_ref producer; /* the root's; others have none */
	uint32_t number; /* among its parent's */
	bool is_root;
	double threshold;
	struct box box;
	struct points facilities;
	struct points customers;
};

struct quadrant {
	struct quadrant_arg given;
	struct point middle;
	double cost;
	bool open;
	city_ref child[QUADRANTS];
	struct box child_box[QUADRANTS];
	uint64_t known; /* facilities: its own, and those opened below */
	struct city_finished below;
	unsigned finished; /* children */
};

/* Defined below; a quadrant spawns actors of its own kind. */
static const struct tr_behavior quadrant_behavior;

static void
quadrant_serve(struct quadrant *q, struct point customer)
{
	bench_check(box_has(&q->given.box, customer),
	    "facloc: a customer is in its quadrant");
	points_add(&q->given.customers, customer);
	q->cost += points_distance(&q->given.facilities, customer);
}

static int
quadrant_start(struct tr_self *self, void *state, const void *arg)
{
	const struct quadrant_arg *given = arg;
	struct quadrant *q = state;
	const struct points *customers = &given->customers;

	(void)self;
	q->given = *given;
	q->middle.x = (given->box.low.x + given->box.high.x) / 2;
	q->middle.y = (given->box.low.y + given->box.high.y) / 2;
	q->known = 1;
	points_add(&q->given.facilities, q->middle);
	q->given.customers = (struct points){ 0 };
	for (size_t i = 0; i < customers->count; i++)
		quadrant_serve(q, customers->at[i]);
	free(customers->at);
	return TR_OK;
}

static void
quadrant_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct quadrant *q = state;

	(void)self;
	(void)why;
	points_free(&q->given.facilities);
	points_free(&q->given.customers);
}

/* The first that has the point. */
static uint32_t
quadrant_of(const struct quadrant *q, struct point point)
{
	uint32_t i = 0;

	while (i < QUADRANTS - 1 && !box_has(&q->child_box[i], point))
		i++;
	return i;
}

static void
quadrant_divide(struct quadrant *q)
{
	const struct box *box = &q->given.box;
	struct point middle = q->middle;

	q->child_box[0] =
	    (struct box){ { box->low.x, middle.y }, { middle.x, box->high.y } };
	q->child_box[1] = (struct box){ middle, box->high };
	q->child_box[2] = (struct box){ box->low, middle };
	q->child_box[3] =
	    (struct box){ { middle.x, box->low.y }, { box->high.x, middle.y } };
}

/* Tell the parent that a facility was opened here or below. */
static int
quadrant_tell(struct tr_self *self, const struct quadrant *q,
    struct point facility)
{
	if (q->given.is_root)
		return TR_OK;
	return city_send_opened(self, q->given.parent,
	    (struct city_opened){ facility, q->given.number });
}

static int
quadrant_open(struct tr_self *self, struct quadrant *q)
{
	const struct points *customers = &q->given.customers;
	struct points share[QUADRANTS] = { { 0 } };
	struct quadrant_arg child = {
		.parent = city_of(tr_self_ref(self)),
		.threshold = q->given.threshold,
	};

	quadrant_divide(q);
	for (size_t i = 0; i < customers->count; i++)
		points_add(&share[quadrant_of(q, customers->at[i])],
		    customers->at[i]);
	points_free(&q->given.customers);
	for (uint32_t i = 0; i < QUADRANTS; i++) {
		child.number = i;
		child.box = q->child_box[i];
		child.customers = share[i];
		child.facilities = (struct points){ 0 };
		for (size_t k = 0; k < q->given.facilities.count; k++)
			points_add(&child.facilities,
			    q->given.facilities.at[k]);
		q->child[i] =
		    city_spawn(self, &quadrant_behavior, &child, NULL);
		bench_check(tr_ref_valid(q->child[i].ref), "facloc: spawn");
	}
	q->open = true;
	return quadrant_tell(self, q, q->middle);
}

static int
on_customer(struct tr_self *self, struct quadrant *q,
    const struct city_customer *customer)
{
	int error = TR_OK;

	if (q->open) {
		error = city_send_customer(self,
		    q->child[quadrant_of(q, customer->at)], *customer);
	} else {
		quadrant_serve(q, customer->at);
		if (q->cost > q->given.threshold)
			error = quadrant_open(self, q);
	}
	if (error != TR_OK || !q->given.is_root)
		return error;
	return city_send_next(self, q->given.producer);
}

/* A facility below: tell the one above, and the child that lies diagonally. */
static int
on_opened(struct tr_self *self, struct quadrant *q,
    const struct city_opened *opened)
{
	city_ref across = q->child[QUADRANTS - 1 - opened->quadrant];
	int error = quadrant_tell(self, q, opened->at);

	q->known++;
	points_add(&q->given.facilities, opened->at);
	if (error != TR_OK)
		return error;
	return city_send_news(self, across, (struct city_news){ opened->at });
}

/* A facility beside: tell all below. */
static int
on_news(struct tr_self *self, struct quadrant *q, const struct city_news *news)
{
	int error = TR_OK;

	points_add(&q->given.facilities, news->at);
	for (int i = 0; q->open && i < QUADRANTS && error == TR_OK; i++)
		error = city_send_news(self, q->child[i], *news);
	return error;
}

static int
quadrant_finish(struct tr_self *self, const struct quadrant *q)
{
	bench_check(!q->open || q->known == q->below.facilities,
	    "facloc: a quadrant heard of each facility below");
	(void)city_send_finished(self, q->given.parent, q->below);
	return tr_exit(self, TR_NORMAL);
}

static int
on_finish(struct tr_self *self, struct quadrant *q)
{
	q->below.facilities = q->open;
	q->below.customers = q->given.customers.count;
	for (int i = 0; q->open && i < QUADRANTS; i++)
		(void)city_send_finish(self, q->child[i]);
	return q->open ? TR_OK : quadrant_finish(self, q);
}

static int
on_finished(struct tr_self *self, struct quadrant *q,
    const struct city_finished *child)
{
	q->below.facilities += child->facilities;
	q->below.customers += child->customers;
	return ++q->finished < QUADRANTS ? TR_OK : quadrant_finish(self, q);
}

TR_ACTOR(quadrant, struct quadrant, city, CITY, .customer = on_customer,
    .opened = on_opened, .news = on_news, .finish = on_finish,
    .finished = on_finished);

static const struct tr_behavior quadrant_behavior = {
	.name = "quadrant",
	.state_size = sizeof(struct quadrant),
	.arg_size = sizeof(struct quadrant_arg),
	.start = quadrant_start,
	.receive = quadrant_receive,
	.stop = quadrant_stop,
	.protocol = &city_protocol,
};

/* ----------------------------------------------------------- producer --- */

struct producer {
	struct bench *b;
	struct savina_random random;
	city_ref root;
	double grid;
	uint64_t left; /* customers to come */
};

/* The original's nextDouble(): not a uniform number, but 1 / n. */
static double
producer_draw(struct producer *producer)
{
	return 1.0 / (savina_random_next(&producer->random) + 1) *
	    producer->grid;
}

static int
on_next(struct tr_self *self, struct producer *producer)
{
	struct city_customer customer;

	if (producer->left == 0)
		return city_send_finish(self, producer->root);
	producer->left--;
	customer.at.x = producer_draw(producer);
	customer.at.y = producer_draw(producer);
	return city_send_customer(self, producer->root, customer);
}

static int
producer_start(struct tr_self *self, void *state, const void *arg)
{
	struct producer *producer = state;
	struct quadrant_arg root = { .is_root = true };

	producer->b = bench_of(arg);
	producer->random.value = SAVINA_SEED;
	producer->grid = (double)bench_param(producer->b, "grid");
	producer->left = bench_param(producer->b, "points");
	bench_begin(producer->b, self);
	root.parent = city_of(tr_self_ref(self));
	root.producer = root.parent;
	root.threshold = ALPHA * sqrt(2) * producer->grid;
	root.box.high = (struct point){ producer->grid, producer->grid };
	producer->root = city_spawn(self, &quadrant_behavior, &root, NULL);
	bench_check(tr_ref_valid(producer->root.ref), "facloc: spawn");
	return on_next(self, producer);
}

static int
on_result(struct tr_self *self, struct producer *producer,
    const struct city_finished *all)
{
	uint64_t points = bench_param(producer->b, "points");

	bench_check(all->customers == points, "facloc: no customer is lost");
	bench_check(all->facilities > 1, "facloc: facilities were opened");
	return bench_end(producer->b, self, points);
}

TR_ACTOR(producer, struct producer, city, CITY, .next = on_next,
    .finished = on_result);

static const struct tr_behavior producer_behavior = {
	.name = "producer",
	.state_size = sizeof(struct producer),
	.arg_size = sizeof(struct bench *),
	.start = producer_start,
	.receive = producer_receive,
	.protocol = &city_protocol,
};

const struct bench_case savina_facloc = {
	.name = "facloc",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a customer",
	.note = "a customer on a border belongs to one quadrant",
	.params = {
		{ "points", { 1000, 100000, 3500000 } },
		{ "grid", { 500, 500, 500 } },
	},
	.root = &producer_behavior,
	.dead_letters = true, /* news to quadrants that have ended */
};
