/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small service: sessions that expire, behind a gate that limits the rate.
 *
 * Three actors.  The console reads requests from standard input and asks the
 * gate; the gate refuses what is too much and forwards the rest to the store;
 * the store keeps the sessions, lets each end in its time, and answers the
 * console.  It runs until the input ends or SIGINT comes.
 *
 *     guide_store [REQUESTS [MILLISECONDS]]    # limit per period: 100 in 1000
 *
 *     put NAME VALUE MS    keep a value for so long
 *     get NAME             show it
 *     del NAME             forget it
 *     wait MS              let time pass
 *     dump                 list the actors, on standard error
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <troupe.h>

enum { NAME_MAX_BYTES = 32, VALUE_MAX_BYTES = 64 };

/* Requests, as asks; VALUE answers them.  Then what actors tell themselves. */
enum { PUT, GET, DEL, VALUE, EXPIRE, REFILL, GO_ON, INTERRUPTED };

struct request {
	char name[NAME_MAX_BYTES];
	char value[VALUE_MAX_BYTES]; /* PUT */
	int64_t ttl_ns; /* PUT */
};

struct value {
	char text[VALUE_MAX_BYTES];
};

/* What users write is at least 1 ms and at most a day. */
static int64_t
milliseconds(long ms)
{
	return TR_MS(ms < 1 ? 1 : ms > 86400000 ? 86400000 : ms);
}

/* ------------------------------------------------------------- store ---- */

struct session {
	struct session *next;
	struct request is;
	int64_t expires_at;
	tr_timer timer;
};

enum { BUCKETS = 256 };

struct store {
	struct session *bucket[BUCKETS];
	unsigned sessions;
};

/* Where the session's pointer is, or where it would be. */
static struct session **
store_find(struct store *s, const char *name)
{
	struct session **link;
	unsigned hash = 5381;
	const char *c;

	for (c = name; *c != '\0'; c++)
		hash = hash * 33 + (unsigned char)*c;
	link = &s->bucket[hash % BUCKETS];
	while (*link != NULL && strcmp((*link)->is.name, name) != 0)
		link = &(*link)->next;
	return link;
}

/* Free the session that a link leads to, if there is one. */
static void
store_remove(struct store *s, struct session **link)
{
	struct session *session = *link;

	if (session == NULL)
		return;
	*link = session->next;
	s->sessions--;
	free(session);
}

static int
store_answer(struct tr_self *self, const struct tr_msg *msg, const char *text)
{
	struct value value = { "" };

	snprintf(value.text, sizeof(value.text), "%s", text);
	return tr_reply(self, msg, VALUE, &value, sizeof(value));
}

static int
store_put(struct tr_self *self, struct store *s, const struct tr_msg *msg,
    const struct request *r)
{
	struct session **link = store_find(s, r->name);
	struct session *session = *link;

	if (session != NULL) {
		tr_timer_cancel(self, session->timer);
	} else {
		session = calloc(1, sizeof(*session));
		if (session == NULL)
			return tr_reply_error(self, msg, TR_ENOMEM);
		*link = session;
		s->sessions++;
	}
	session->is = *r;
	session->expires_at = tr_in(self, r->ttl_ns);
	session->timer = tr_after(self, r->ttl_ns, EXPIRE, (uintptr_t)session);
	if (session->timer == 0) {
		store_remove(s, link);
		return tr_reply_error(self, msg, TR_ENOMEM);
	}
	return store_answer(self, msg, "kept");
}

static int
store_get(struct tr_self *self, struct store *s, const struct tr_msg *msg,
    const struct request *r)
{
	const struct session *session = *store_find(s, r->name);

	/* Its tick may be late, when this worker is busy; the clock is not. */
	if (session == NULL || session->expires_at <= tr_now(self))
		return tr_reply_error(self, msg, -ENOENT);
	return store_answer(self, msg, session->is.value);
}

static int
store_del(struct tr_self *self, struct store *s, const struct tr_msg *msg,
    const struct request *r)
{
	struct session **link = store_find(s, r->name);

	if (*link == NULL)
		return tr_reply_error(self, msg, -ENOENT);
	tr_timer_cancel(self, (*link)->timer);
	store_remove(s, link);
	return store_answer(self, msg, "gone");
}

/* The cookie is a pointer that holds: who frees a session cancels its timer,
 * and no tick of a cancelled timer is seen. */
static int
store_expire(struct tr_self *self, struct store *s, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));
	struct session *session;

	if (tick == NULL || tr_ref_valid(tr_sender(msg)))
		return tr_unhandled(self, msg);
	session = (struct session *)(uintptr_t)tick->cookie;
	store_remove(s, store_find(s, session->is.name));
	return TR_OK;
}

static int
store_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct request *r = tr_data(msg, sizeof(*r));

	if (tr_tag(msg) == EXPIRE)
		return store_expire(self, state, msg);
	if (r == NULL)
		return tr_unhandled(self, msg);
	switch (tr_tag(msg)) {
	case PUT: return store_put(self, state, msg, r);
	case GET: return store_get(self, state, msg, r);
	case DEL: return store_del(self, state, msg, r);
	default: return tr_unhandled(self, msg);
	}
}

static void
store_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct store *s = state;
	size_t i;

	(void)self, (void)why;
	printf("store: sessions left: %u\n", s->sessions);
	for (i = 0; i < BUCKETS; i++)
		while (s->bucket[i] != NULL)
			store_remove(s, &s->bucket[i]);
}

static const struct tr_behavior store = {
	.name = "store",
	.state_size = sizeof(struct store),
	.receive = store_receive,
	.stop = store_stop,
};

/* -------------------------------------------------------------- gate ---- */

struct limit {
	unsigned requests;
	int64_t period_ns;
};

struct gate {
	struct limit limit;
	unsigned left; /* of this period's requests */
	tr_ref store;
};

static int
gate_start(struct tr_self *self, void *state, const void *arg)
{
	struct gate *g = state;

	g->limit = *(const struct limit *)arg;
	g->left = g->limit.requests;
	g->store = tr_spawn(self, &store, NULL, NULL);
	if (!tr_ref_valid(g->store))
		return TR_ENOMEM;
	if (tr_every(self, g->limit.period_ns, REFILL, 0) == 0)
		return tr_fail(self, TR_EINVAL, "period or memory");
	return TR_OK;
}

static int
gate_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct gate *g = state;

	if (tr_tag(msg) == REFILL) {
		g->left = g->limit.requests;
		return TR_OK;
	}
	if (g->left == 0)
		return tr_reply_error(self, msg, TR_EFULL);
	g->left--;
	return tr_forward(self, g->store, msg);
}

static const struct tr_behavior gate = {
	.name = "gate",
	.state_size = sizeof(struct gate),
	.arg_size = sizeof(struct limit),
	.start = gate_start,
	.receive = gate_receive,
};

/* ----------------------------------------------------------- console ---- */

struct console {
	tr_ref gate;
	unsigned requests;
	unsigned refused;
	bool ended; /* the input */
	size_t length;
	char text[512]; /* what was read and is not yet a line */
};

/* One read.  It waits for a while and not for ever, so that nobody who stops
 * the system has to wait for a key to be pressed. */
struct reading {
	char text[256];
};

static int
reading_work(struct tr_system *system, void *arg)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	struct reading *r = arg;
	ssize_t n;

	(void)system;
	if (poll(&input, 1, 200) == 0)
		return -EAGAIN;
	n = read(STDIN_FILENO, r->text, sizeof(r->text));
	return n < 0 ? -errno : (int)n;
}

/* Move the first line out of the text, without its end. */
static bool
console_line(struct console *c, char *line, size_t room)
{
	char *end = memchr(c->text, '\n', c->length);
	size_t n;

	if (end == NULL)
		return false;
	n = (size_t)(end - c->text);
	snprintf(line, room, "%.*s", (int)n, c->text);
	c->length -= n + 1;
	memmove(c->text, end + 1, c->length);
	return true;
}

static int
console_next(struct tr_self *self)
{
	return tr_send(self, tr_self_ref(self), GO_ON, NULL, 0);
}

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct console *c = state;
	const struct value *value;

	(void)cookie;
	c->requests++;
	if (outcome == TR_OK) {
		value = tr_data(answer, sizeof(*value));
		printf("%s\n", value != NULL ? value->text : "?");
	} else if (outcome == TR_EFULL) {
		c->refused++;
		printf("too fast\n");
	} else {
		printf("error: %s\n", tr_strerror(outcome));
	}
	return console_next(self);
}

static int
console_ask(struct tr_self *self, struct console *c, uint32_t tag,
    const struct request *r)
{
	if (tr_ask(self, c->gate, tag, r, sizeof(*r),
		tr_in(self, TR_SECONDS(10)), on_answer, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

/* Begin what a line says; GO_ON or on_answer() goes on from there. */
static int
console_do(struct tr_self *self, struct console *c, const char *line)
{
	struct request r = { .ttl_ns = 0 };
	char word[8] = "";
	long ms = 0;

	if (sscanf(line, "put %31s %63s %ld", r.name, r.value, &ms) == 3) {
		r.ttl_ns = milliseconds(ms);
		return console_ask(self, c, PUT, &r);
	}
	if (sscanf(line, "get %31s", r.name) == 1)
		return console_ask(self, c, GET, &r);
	if (sscanf(line, "del %31s", r.name) == 1)
		return console_ask(self, c, DEL, &r);
	if (sscanf(line, "wait %ld", &ms) == 1)
		return tr_after(self, milliseconds(ms), GO_ON, 0) != 0 ?
		    TR_OK :
		    TR_ENOMEM;
	if (sscanf(line, "%7s", word) == 1 && strcmp(word, "dump") == 0)
		tr_dump(tr_system_of(self), STDERR_FILENO);
	else
		printf("what?\n");
	return console_next(self);
}

static int
reading_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	struct console *c = state;
	struct reading *r = arg;

	if (outcome > 0) {
		memcpy(c->text + c->length, r->text, (size_t)outcome);
		c->length += (size_t)outcome;
	} else if (outcome != -EAGAIN) {
		c->ended = true;
	}
	free(r);
	return console_next(self);
}

static const struct tr_job reading = {
	.work = reading_work,
	.done = reading_done,
	.drop = free,
};

static int
console_read(struct tr_self *self, struct console *c)
{
	struct reading *r;
	int error;

	if (c->ended)
		return tr_exit(self, TR_NORMAL);
	if (sizeof(c->text) - c->length < sizeof(r->text))
		return tr_fail(self, TR_EINVAL, "line too long");
	r = malloc(sizeof(*r));
	if (r == NULL)
		return TR_ENOMEM;
	error = tr_offload_blocking(self, &reading, r, tr_forever(), NULL);
	if (error != TR_OK)
		free(r);
	return error;
}

static int
console_start(struct tr_self *self, void *state, const void *arg)
{
	struct console *c = state;
	int error;

	c->gate = tr_spawn(self, &gate, arg, NULL);
	if (!tr_ref_valid(c->gate))
		return TR_ENOMEM;
	error = tr_signal_send(tr_system_of(self), SIGINT, tr_self_ref(self),
	    INTERRUPTED);
	if (error != TR_OK)
		return error;
	printf("ready\n");
	return console_next(self);
}

static int
console_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct console *c = state;
	char line[sizeof(c->text)];

	switch (tr_tag(msg)) {
	case GO_ON:
		if (console_line(c, line, sizeof(line)))
			return console_do(self, c, line);
		return console_read(self, c);
	case INTERRUPTED:
		printf("interrupted\n");
		return tr_exit(self, TR_NORMAL);
	default: return tr_unhandled(self, msg);
	}
}

static void
console_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	const struct console *c = state;

	(void)self, (void)why;
	printf("console: %u requests, %u refused\n", c->requests, c->refused);
}

static const struct tr_behavior console = {
	.name = "console",
	.state_size = sizeof(struct console),
	.arg_size = sizeof(struct limit),
	.start = console_start,
	.receive = console_receive,
	.stop = console_stop,
};

int
main(int argc, char **argv)
{
	struct limit limit = { .requests = 100, .period_ns = TR_SECONDS(1) };
	int error;

	if (argc > 1)
		limit.requests = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		limit.period_ns = milliseconds(strtol(argv[2], NULL, 10));
	setvbuf(stdout, NULL, _IOLBF, 0);
	error = tr_run(&console, &limit, NULL);
	if (error != TR_OK)
		fprintf(stderr, "guide_store: %s\n", tr_strerror(error));
	return error == TR_OK ? 0 : 1;
}
