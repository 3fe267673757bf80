/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * concdict.c - Savina 9, Concurrent Dictionary: one actor owns a hash table.
 *
 * Twenty workers read and write it, one request at a time each, a tenth of
 * them writes.  It shows one mailbox with many senders and a short service.
 *
 * The table is filled before the time begins; as in the original a key's first
 * value is the key itself.  The original checks nothing.  Here an answer to a
 * write is the value written, and at the end the workers' numbers are drawn a
 * second time: a key's value has to be the last that some worker wrote there,
 * or else the first.
 */
#include <stdlib.h>

#include "savina.h"

#define DICTIONARY(MSG, P)                 \
	MSG(P, write, {                    \
		int32_t key;               \
		int32_t value;             \
	})                                 \
	MSG(P, read, { int32_t key; })     \
	MSG(P, result, { int32_t value; }) \
	MSG(P, done, TR_EMPTY)
TR_PROTOCOL(dictionary, DICTIONARY);

/* A hash table of whole numbers with linear probing, half full at most. */
struct map {
	struct map_entry {
		int32_t key;
		int32_t value;
		bool used;
	} * entries;
	uint32_t mask; /* their number - 1 */
};

struct dictionary {
	struct map *map;
};

/* What a worker does is known from its number. */
struct worker_plan {
	uint64_t number;
	uint64_t requests;
	uint32_t write_percent;
	uint32_t keys;
};

struct worker_arg {
	dictionary_ref dictionary;
	dictionary_ref root;
	struct worker_plan plan;
};

struct worker {
	struct worker_arg given;
	struct savina_java_random random;
	uint64_t left; /* requests to be made */
	bool writes; /* the request under way */
	int32_t value; /* what it writes */
};

struct root {
	struct bench *b;
	uint64_t workers;
	uint64_t left; /* workers that are not done */
};

/* ---------------------------------------------------------------- map --- */

static bool
map_init(struct map *map, uint32_t keys)
{
	uint32_t size = 1;

	while (size < 2 * keys)
		size *= 2;
	map->mask = size - 1;
	map->entries = calloc(size, sizeof(*map->entries));
	return map->entries != NULL;
}

/* The key's entry, or the free one where it belongs. */
static struct map_entry *
map_find(const struct map *map, int32_t key)
{
	uint32_t at = (uint32_t)key * UINT32_C(2654435761);
	struct map_entry *entry;

	for (at ^= at >> 16;; at++) {
		entry = &map->entries[at & map->mask];
		if (!entry->used || entry->key == key)
			return entry;
	}
}

static void
map_put(struct map *map, int32_t key, int32_t value)
{
	*map_find(map, key) = (struct map_entry){ key, value, true };
}

/* --------------------------------------------------------- dictionary --- */

static int
dictionary_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct dictionary *)state)->map = *(struct map *const *)arg;
	return TR_OK;
}

static int
on_write(struct tr_self *self, struct dictionary *dictionary,
    const struct dictionary_write *write)
{
	map_put(dictionary->map, write->key, write->value);
	return dictionary_reply_result(self,
	    (struct dictionary_result){ write->value });
}

static int
on_read(struct tr_self *self, struct dictionary *dictionary,
    const struct dictionary_read *read)
{
	const struct map_entry *entry = map_find(dictionary->map, read->key);

	bench_check(entry->used, "concdict: all keys have a value");
	return dictionary_reply_result(self,
	    (struct dictionary_result){ entry->value });
}

TR_ACTOR(dictionary, struct dictionary, dictionary, DICTIONARY,
    .write = on_write, .read = on_read);

static const struct tr_behavior dictionary_behavior = {
	.name = "dictionary",
	.state_size = sizeof(struct dictionary),
	.arg_size = sizeof(struct map *),
	.start = dictionary_start,
	.receive = dictionary_receive,
	.protocol = &dictionary_protocol,
};

/* ------------------------------------------------------------- worker --- */

static struct savina_java_random
worker_random(const struct worker_plan *plan)
{
	return savina_java_random(
	    (int64_t)(plan->number + plan->requests + plan->write_percent));
}

/* Draws a request; its value counts if it is a write. */
static bool
worker_draw(const struct worker_plan *plan, struct savina_java_random *random,
    struct dictionary_write *request)
{
	bool writes = savina_java_below(random, 100) < plan->write_percent;
	int64_t key = (int32_t)savina_java_bits(random, 32);

	request->key = (int32_t)((key < 0 ? -key : key) % plan->keys);
	request->value = writes ? (int32_t)savina_java_bits(random, 32) : 0;
	return writes;
}

static int
worker_request(struct tr_self *self, struct worker *worker)
{
	dictionary_ref dictionary = worker->given.dictionary;
	struct dictionary_write request;

	if (worker->left == 0)
		return dictionary_send_done(self, worker->given.root);
	worker->left--;
	worker->writes =
	    worker_draw(&worker->given.plan, &worker->random, &request);
	worker->value = request.value;
	if (worker->writes)
		return dictionary_send_write(self, dictionary, request);
	return dictionary_send_read(self, dictionary,
	    (struct dictionary_read){ request.key });
}

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker *worker = state;

	worker->given = *(const struct worker_arg *)arg;
	worker->random = worker_random(&worker->given.plan);
	worker->left = worker->given.plan.requests;
	return worker_request(self, worker);
}

static int
on_result(struct tr_self *self, struct worker *worker,
    const struct dictionary_result *result)
{
	bench_check(!worker->writes || result->value == worker->value,
	    "concdict: what was written");
	return worker_request(self, worker);
}

TR_ACTOR(worker, struct worker, dictionary, DICTIONARY, .result = on_result);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker),
	.arg_size = sizeof(struct worker_arg),
	.start = worker_start,
	.receive = worker_receive,
	.protocol = &dictionary_protocol,
};

/* --------------------------------------------------------------- root --- */

static struct worker_plan
root_plan(const struct bench *b, uint64_t number)
{
	return (struct worker_plan){
		.number = number,
		.requests = bench_param(b, "requests"),
		.write_percent = (uint32_t)bench_param(b, "write_percent"),
		.keys = (uint32_t)bench_param(b, "keys"),
	};
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker_arg given = { dictionary_none,
		dictionary_of(tr_self_ref(self)), { 0 } };
	struct root *root = state;
	dictionary_ref worker;

	root->b = bench_of(arg);
	root->workers = bench_param(root->b, "workers");
	root->left = root->workers;
	bench_begin(root->b, self);
	given.dictionary =
	    dictionary_spawn(self, &dictionary_behavior, &root->b->ctx, NULL);
	bench_check(tr_ref_valid(given.dictionary.ref), "concdict: spawn");
	for (uint64_t i = 0; i < root->workers; i++) {
		given.plan = root_plan(root->b, i);
		worker = dictionary_spawn(self, &worker_behavior, &given, NULL);
		bench_check(tr_ref_valid(worker.ref), "concdict: spawn");
	}
	return TR_OK;
}

static int
on_done(struct tr_self *self, struct root *root)
{
	if (--root->left > 0)
		return TR_OK;
	return bench_end(root->b, self,
	    root->workers * bench_param(root->b, "requests"));
}

TR_ACTOR(root, struct root, dictionary, DICTIONARY, .done = on_done);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &dictionary_protocol,
};

/* -------------------------------------------------- before and after ----- */

static void
setup(struct bench *b)
{
	int32_t keys = (int32_t)bench_param(b, "keys");
	struct map *map = malloc(sizeof(*map));

	bench_check(map != NULL && map_init(map, (uint32_t)keys),
	    "concdict: memory");
	for (int32_t key = 0; key < keys; key++)
		map_put(map, key, key);
	b->ctx = map;
}

/* Draws a worker's writes again, and marks the keys it wrote and those that
 * have the value it wrote last. */
static void
check_worker(const struct worker_plan *plan, const struct map *map,
    bool *written, bool *explained)
{
	struct savina_java_random random = worker_random(plan);
	struct dictionary_write request;
	struct map last;

	bench_check(map_init(&last, plan->keys), "concdict: memory");
	for (uint64_t i = 0; i < plan->requests; i++) {
		if (worker_draw(plan, &random, &request))
			map_put(&last, request.key, request.value);
	}
	for (uint32_t i = 0; i <= last.mask; i++) {
		const struct map_entry *entry = &last.entries[i];

		if (!entry->used)
			continue;
		written[entry->key] = true;
		if (map_find(map, entry->key)->value == entry->value)
			explained[entry->key] = true;
	}
	free(last.entries);
}

static void
teardown(struct bench *b)
{
	uint64_t keys = bench_param(b, "keys");
	bool *written = calloc(2, keys);
	bool *explained = written + keys;
	struct map *map = b->ctx;
	struct worker_plan plan;

	bench_check(written != NULL, "concdict: memory");
	for (uint64_t i = 0; i < bench_param(b, "workers"); i++) {
		plan = root_plan(b, i);
		check_worker(&plan, map, written, explained);
	}
	for (int32_t key = 0; key < (int32_t)keys; key++) {
		if (!written[key])
			explained[key] = map_find(map, key)->value == key;
		bench_check(explained[key],
		    "concdict: a value is the first or a worker's last");
	}
	free(written);
	free(map->entries);
	free(map);
}

const struct bench_case savina_concdict = {
	.name = "concdict",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "a request and its answer; 20 workers, one table",
	.note = "the table is filled before the time begins",
	.params = { { "requests", { 250, 10000, 600000 } },
	    { "workers", { 20, 20, 20 } }, { "write_percent", { 10, 10, 10 } },
	    { "keys", { 500, 524287, 524287 } } },
	.root = &root_behavior,
	.setup = setup,
	.teardown = teardown,
};
