/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * barber.c - Savina 13, Sleeping Barber.
 *
 * A factory makes customers and sends them to the waiting room, which refuses
 * those for whom there is no chair; the factory sends these back at once, again
 * and again.  The barber sleeps until somebody comes.  Cutting and making
 * customers are loops that take some time.
 *
 * It shows an actor that is flooded with requests that it refuses, and whether
 * the two that do the work come to run meanwhile.  The factory makes all
 * customers in one turn, as in the original, and sees no answer before.  That
 * one prints the number of attempts; here the room's refusals have to be the
 * customers' returns, and each customer is cut once, from start to end.
 *
 * More work is longer loops and more chairs: attempts grow with the square of
 * the number of those who stand.
 */
#include <stdlib.h>

#include "savina.h"

#define SHOP(MSG, P)                             \
	MSG(P, enter, { shop_ref customer; })    \
	MSG(P, full, TR_EMPTY)                   \
	MSG(P, returned, { shop_ref customer; }) \
	MSG(P, wait, TR_EMPTY)                   \
	MSG(P, next, TR_EMPTY)                   \
	MSG(P, cut, { shop_ref customer; })      \
	MSG(P, start, TR_EMPTY)                  \
	MSG(P, done, TR_EMPTY)                   \
	MSG(P, served, TR_EMPTY)                 \
	MSG(P, close, TR_EMPTY)                  \
	MSG(P, closed, {                         \
		uint64_t seated;                 \
		uint64_t refused;                \
	})
TR_PROTOCOL(shop, SHOP);

enum { STEPS_MIN = 10 }; /* of every loop */

struct room_arg {
	shop_ref barber;
	uint64_t chairs;
};

struct room {
	struct room_arg given;
	shop_ref *waiting; /* a ring of as many as there are chairs */
	uint64_t first;
	uint64_t count;
	bool asleep; /* the barber */
	struct shop_closed counts;
};

struct barber {
	struct savina_random random;
	uint64_t steps_max;
	uint64_t waste; /* what the loops come to */
};

enum customer_mood { HAIRY, UNDER_THE_KNIFE };

struct customer {
	shop_ref factory;
	enum customer_mood mood;
};

struct factory {
	struct bench *b;
	shop_ref room;
	struct savina_random random;
	uint64_t haircuts; /* wanted */
	uint64_t served;
	uint64_t returned;
	uint64_t waste; /* what the loops come to */
};

/* Takes a while.  The original draws from a generator, too. */
static uint64_t
busy_loop(uint64_t steps)
{
	struct savina_random random = { SAVINA_SEED };
	uint64_t sum = 0;

	for (uint64_t i = 0; i < steps; i++)
		sum += savina_random_next(&random);
	return sum;
}

static uint64_t
busy_random(struct savina_random *random, uint64_t steps_max)
{
	return busy_loop(savina_random_next(random) % steps_max + STEPS_MIN);
}

/* ----------------------------------------------------------- customer --- */

static int
customer_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct customer *)state)->factory = *(const shop_ref *)arg;
	return TR_OK;
}

static int
on_full(struct tr_self *self, struct customer *customer)
{
	return shop_send_returned(self, customer->factory,
	    (struct shop_returned){ shop_of(tr_self_ref(self)) });
}

static int
on_wait(struct tr_self *self, struct customer *customer)
{
	(void)self;
	bench_check(customer->mood == HAIRY, "barber: first wait, then sit");
	return TR_OK;
}

static int
on_cut_starts(struct tr_self *self, struct customer *customer)
{
	(void)self;
	bench_check(customer->mood == HAIRY, "barber: a haircut each");
	customer->mood = UNDER_THE_KNIFE;
	return TR_OK;
}

static int
on_cut_done(struct tr_self *self, struct customer *customer)
{
	int error;

	bench_check(customer->mood == UNDER_THE_KNIFE,
	    "barber: from the start");
	error = shop_send_served(self, customer->factory);
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(customer, struct customer, shop, SHOP, .full = on_full,
    .wait = on_wait, .start = on_cut_starts, .done = on_cut_done);

static const struct tr_behavior customer_behavior = {
	.name = "customer",
	.state_size = sizeof(struct customer),
	.arg_size = sizeof(shop_ref),
	.start = customer_start,
	.receive = customer_receive,
	.protocol = &shop_protocol,
};

/* ------------------------------------------------------------- barber --- */

static int
barber_start(struct tr_self *self, void *state, const void *arg)
{
	struct barber *barber = state;

	(void)self;
	barber->random.value = SAVINA_SEED;
	barber->steps_max = *(const uint64_t *)arg;
	return TR_OK;
}

static int
on_cut(struct tr_self *self, struct barber *barber, const struct shop_cut *cut)
{
	int error = shop_send_start(self, cut->customer);

	if (error != TR_OK)
		return error;
	barber->waste += busy_random(&barber->random, barber->steps_max);
	error = shop_send_done(self, cut->customer);
	return error != TR_OK ? error : shop_reply_next(self);
}

/* Nobody is there: it sleeps until the next customer. */
static int
on_sleep(struct tr_self *self, struct barber *barber)
{
	(void)self;
	(void)barber;
	return TR_OK;
}

TR_ACTOR(barber, struct barber, shop, SHOP, .cut = on_cut, .wait = on_sleep);

static const struct tr_behavior barber_behavior = {
	.name = "barber",
	.state_size = sizeof(struct barber),
	.arg_size = sizeof(uint64_t),
	.start = barber_start,
	.receive = barber_receive,
	.protocol = &shop_protocol,
};

/* --------------------------------------------------------------- room --- */

static int
room_start(struct tr_self *self, void *state, const void *arg)
{
	struct room *room = state;

	(void)self;
	room->given = *(const struct room_arg *)arg;
	room->asleep = true;
	room->waiting = calloc(room->given.chairs, sizeof(*room->waiting));
	return room->waiting != NULL ? TR_OK : TR_ENOMEM;
}

static int
on_enter(struct tr_self *self, struct room *room,
    const struct shop_enter *enter)
{
	uint64_t chairs = room->given.chairs;

	if (room->count == chairs) {
		room->counts.refused++;
		return shop_send_full(self, enter->customer);
	}
	room->counts.seated++;
	room->waiting[(room->first + room->count++) % chairs] = enter->customer;
	if (!room->asleep)
		return shop_send_wait(self, enter->customer);
	room->asleep = false;
	return shop_send_next(self, shop_of(tr_self_ref(self)));
}

static int
on_next(struct tr_self *self, struct room *room)
{
	shop_ref customer;

	if (room->count == 0) {
		room->asleep = true;
		return shop_send_wait(self, room->given.barber);
	}
	customer = room->waiting[room->first];
	room->first = (room->first + 1) % room->given.chairs;
	room->count--;
	return shop_send_cut(self, room->given.barber,
	    (struct shop_cut){ customer });
}

static int
on_close(struct tr_self *self, struct room *room)
{
	return shop_reply_closed(self, room->counts);
}

TR_ACTOR(room, struct room, shop, SHOP, .enter = on_enter, .next = on_next,
    .close = on_close);

static void
room_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct room *)state)->waiting);
}

static const struct tr_behavior room_behavior = {
	.name = "room",
	.state_size = sizeof(struct room),
	.arg_size = sizeof(struct room_arg),
	.start = room_start,
	.receive = room_receive,
	.stop = room_stop,
	.protocol = &shop_protocol,
};

/* ------------------------------------------------------------ factory --- */

static int
factory_make(struct tr_self *self, struct factory *factory)
{
	shop_ref me = shop_of(tr_self_ref(self));
	shop_ref customer = shop_spawn(self, &customer_behavior, &me, NULL);

	bench_check(tr_ref_valid(customer.ref), "barber: spawn");
	return shop_send_enter(self, factory->room,
	    (struct shop_enter){ customer });
}

static int
factory_start(struct tr_self *self, void *state, const void *arg)
{
	struct factory *factory = state;
	uint64_t steps_max;
	struct room_arg given;
	int error = TR_OK;

	factory->b = bench_of(arg);
	factory->haircuts = bench_param(factory->b, "haircuts");
	factory->random.value = SAVINA_SEED;
	steps_max = bench_param(factory->b, "haircut_steps");
	given.chairs = bench_param(factory->b, "chairs");
	bench_begin(factory->b, self);
	given.barber = shop_spawn(self, &barber_behavior, &steps_max, NULL);
	bench_check(tr_ref_valid(given.barber.ref), "barber: spawn");
	factory->room = shop_spawn(self, &room_behavior, &given, NULL);
	bench_check(tr_ref_valid(factory->room.ref), "barber: spawn");
	steps_max = bench_param(factory->b, "customer_steps");
	for (uint64_t i = 0; i < factory->haircuts && error == TR_OK; i++) {
		error = factory_make(self, factory);
		factory->waste += busy_random(&factory->random, steps_max);
	}
	return error;
}

static int
on_returned(struct tr_self *self, struct factory *factory,
    const struct shop_returned *returned)
{
	factory->returned++;
	return shop_send_enter(self, factory->room,
	    (struct shop_enter){ returned->customer });
}

static int
on_served(struct tr_self *self, struct factory *factory)
{
	if (++factory->served < factory->haircuts)
		return TR_OK;
	return shop_send_close(self, factory->room);
}

static int
on_closed(struct tr_self *self, struct factory *factory,
    const struct shop_closed *closed)
{
	bench_check(closed->seated == factory->haircuts,
	    "barber: everybody got a chair, once");
	bench_check(closed->refused == factory->returned,
	    "barber: whoever was refused came back");
	return bench_end(factory->b, self, factory->haircuts);
}

TR_ACTOR(factory, struct factory, shop, SHOP, .returned = on_returned,
    .served = on_served, .closed = on_closed);

static const struct tr_behavior factory_behavior = {
	.name = "factory",
	.state_size = sizeof(struct factory),
	.arg_size = sizeof(struct bench *),
	.start = factory_start,
	.receive = factory_receive,
	.protocol = &shop_protocol,
};

const struct bench_case savina_barber = {
	.name = "barber",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "a haircut, and the attempts to get one",
	.note = "its loops draw from the suite's generator, not Java's",
	.params = { { "haircuts", { 60, 5000, 40000 } },
	    { "chairs", { 10, 1000, 36000 } },
	    { "customer_steps", { 20, 1000, 65536 } },
	    { "haircut_steps", { 20, 1000, 65536 } } },
	.root = &factory_behavior,
};
