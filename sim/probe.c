/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes: actors that the scenario speaks for, and listens with.
 *
 * What a probe shall do is posted to it as a pointer to an order, which it
 * carries out in a turn of its own; what it gets it keeps for the scenario.
 * The agent is a probe that nobody sees; it kills for the faults.
 */
#include "sim/sim.h"

#include <string.h>

enum { ORDER = 0x7e57a9e7 }; /* the tag of an order */

enum order_kind { DO_SEND, DO_ASK, DO_REPLY, DO_DROP, DO_KILL };

struct order {
	enum order_kind kind;
	tr_ref to;
	struct tr_msg *about; /* a message that the probe has */
	uint32_t tag;
	int64_t timeout_ns;
	size_t size;
	char data[];
};

/* What is posted to a probe. */
struct envelope {
	struct order *order;
};

struct received {
	struct received *next;
	struct tr_msg *msg;
};

struct tr_probe {
	struct tr_probe *next;
	struct tr_sim *sim;
	tr_ref ref;
	struct received *first, *last; /* not looked at yet */
	struct tr_msg *shown; /* what the scenario was given */
	struct received *old; /* what it was given before, to be dropped */
	bool stopped; /* the actor */
	bool ended; /* its ask */
	int outcome;
};

/* -------------------------------------------------------- in its turn ---- */

static void
probe_keep(struct tr_probe *p, struct tr_msg *msg)
{
	struct received *r = sim_own(p->sim, sizeof(*r));

	*r = (struct received){ NULL, msg };
	if (p->last != NULL)
		p->last->next = r;
	else
		p->first = r;
	p->last = r;
}

static void
probe_drop_old(struct tr_probe *p, const struct tr_msg *msg)
{
	struct received **at = &p->old, *r;

	while (*at != NULL && (*at)->msg != msg)
		at = &(*at)->next;
	r = *at;
	if (r == NULL)
		return;
	*at = r->next;
	tr_msg_drop(&r->msg);
	sim_own_free(p->sim, r);
}

static void
probe_drop_all(struct tr_probe *p, struct received **list)
{
	while (*list != NULL) {
		struct received *r = *list;

		*list = r->next;
		tr_msg_drop(&r->msg);
		sim_own_free(p->sim, r);
	}
}

static int
probe_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct tr_probe *p = *(struct tr_probe **)state;

	(void)cookie;
	p->ended = true;
	p->outcome = outcome;
	if (answer != NULL)
		p->shown = tr_take(self, answer);
	return TR_OK;
}

static void
probe_obey(struct tr_probe *p, struct tr_self *self, struct order *o)
{
	switch (o->kind) {
	case DO_SEND:
		(void)tr_send(self, o->to, o->tag, o->data, o->size);
		break;
	case DO_ASK:
		if (tr_ask(self, o->to, o->tag, o->data, o->size,
			tr_in(self, o->timeout_ns), probe_answered, 0) == 0) {
			p->ended = true;
			p->outcome = TR_ENOMEM;
		}
		break;
	case DO_REPLY:
		(void)tr_reply(self, o->about, o->tag, o->data, o->size);
		break;
	case DO_DROP: probe_drop_old(p, o->about); break;
	case DO_KILL: (void)tr_kill(self, o->to); break;
	}
}

static int
probe_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_probe *p = *(struct tr_probe **)state;
	struct sim_calm calm = sim_calm_begin(p->sim);
	struct tr_msg *kept;
	const struct envelope *e = tr_data(msg, sizeof(*e));

	if (tr_tag(msg) == ORDER && e != NULL) {
		struct order *o = e->order;

		probe_obey(p, self, o);
		sim_own_free(p->sim, o);
	} else {
		kept = tr_take(self, msg);
		if (kept == NULL)
			sim_fail(p->sim, "a probe could not take a message");
		probe_keep(p, kept);
	}
	sim_calm_end(p->sim, calm);
	return TR_OK;
}

static int
probe_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, &arg, sizeof(arg));
	return TR_OK;
}

/* What it still holds goes while it can: taken asks are answered. */
static void
probe_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct tr_probe *p = *(struct tr_probe **)state;

	(void)self;
	(void)why;
	p->stopped = true;
	tr_msg_drop(&p->shown);
	probe_drop_all(p, &p->first);
	probe_drop_all(p, &p->old);
	p->last = NULL;
}

static const struct tr_behavior probe_behavior = {
	.name = "probe",
	.state_size = sizeof(struct tr_probe *),
	.start = probe_start,
	.receive = probe_receive,
	.stop = probe_stop,
};

/* ------------------------------------------------------ from the scenario - */

/* Post it: neither faults nor the byte budget are in the way. */
static void
probe_order(struct tr_probe *p, const struct order *order, const void *data)
{
	struct tr_sim *sim = p->sim;
	struct order *o = sim_own(sim, sizeof(*o) + order->size);
	size_t send_end = tri_load_relaxed(&sim->sys->send_end);
	struct sim_calm calm = sim_calm_begin(sim);
	struct envelope e = { o };
	int rc;

	*o = *order;
	if (o->size > 0)
		memcpy(o->data, data, o->size);
	tri_store_relaxed(&sim->sys->send_end, SIZE_MAX);
	rc = tr_post(sim->sys, p->ref, ORDER, &e, sizeof(e));
	tri_store_relaxed(&sim->sys->send_end, send_end);
	sim_calm_end(sim, calm);
	if (rc != TR_OK)
		sim_own_free(sim, o);
	if (rc != TR_OK && rc != TR_ESTOPPING)
		sim_fail(sim, "a probe could not be told: %s", tr_strerror(rc));
}

struct tr_probe *
tr_probe_new(struct tr_sim *sim, const char *name)
{
	struct tr_probe *p = sim_own(sim, sizeof(*p));
	struct sim_calm calm = sim_calm_begin(sim);
	int error = TR_OK;

	p->sim = sim;
	p->next = sim->probes;
	sim->probes = p;
	p->ref = tr_system_spawn(sim->sys, &probe_behavior, p,
	    &(struct tr_spawn_options){ .name = name, .error = &error });
	sim_calm_end(sim, calm);
	if (!tr_ref_valid(p->ref))
		sim_fail(sim, "tr_probe_new: %s", tr_strerror(error));
	return p;
}

tr_ref
tr_probe_ref(struct tr_probe *probe)
{
	return probe->ref;
}

/* What was shown is over.  It is dropped in the probe's turn, behind an answer
 * that may be under way. */
static void
probe_forget(struct tr_probe *p)
{
	struct received *r;

	if (p->shown == NULL)
		return;
	r = sim_own(p->sim, sizeof(*r));
	*r = (struct received){ p->old, p->shown };
	p->old = r;
	p->shown = NULL;
	probe_order(p, &(struct order){ .kind = DO_DROP, .about = r->msg },
	    NULL);
}

void
tr_probe_send(struct tr_probe *probe, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	probe_order(probe,
	    &(struct order){ .kind = DO_SEND,
		.to = to,
		.tag = tag,
		.size = size },
	    data);
}

int
tr_probe_ask(struct tr_probe *probe, tr_ref to, uint32_t tag, const void *data,
    size_t size, int64_t timeout_ns, const struct tr_msg **answer)
{
	struct tr_sim *sim = probe->sim;

	probe_forget(probe);
	probe->ended = false;
	probe_order(probe,
	    &(struct order){
		.kind = DO_ASK,
		.to = to,
		.tag = tag,
		.timeout_ns = timeout_ns,
		.size = size,
	    },
	    data);
	while (!probe->ended && !probe->stopped)
		if (!sim_step(sim, INT64_MAX))
			sim_fail(sim, "tr_probe_ask: the ask does not end");
	if (answer != NULL)
		*answer = probe->shown;
	return probe->ended ? probe->outcome : TR_ESTOPPING;
}

/* The next message; NULL: none until then. */
static struct tr_msg *
probe_next(struct tr_probe *p, int64_t timeout_ns)
{
	int64_t until = tri_time_after(p->sim->now, timeout_ns);
	struct received *r;
	struct tr_msg *msg;

	while (
	    p->first == NULL && p->sim->now < until && sim_step(p->sim, until))
		;
	r = p->first;
	if (r == NULL)
		return NULL;
	p->first = r->next;
	if (p->first == NULL)
		p->last = NULL;
	msg = r->msg;
	sim_own_free(p->sim, r);
	return msg;
}

const struct tr_msg *
tr_probe_expect(struct tr_probe *probe, uint32_t tag, int64_t timeout_ns)
{
	struct tr_msg *msg;

	probe_forget(probe);
	msg = probe_next(probe, timeout_ns);
	if (msg == NULL)
		sim_fail(probe->sim,
		    "tr_probe_expect: no message, tag %u was expected", tag);
	probe->shown = msg;
	if (tr_tag(msg) != tag)
		sim_fail(probe->sim, "tr_probe_expect: tag %u, %u was expected",
		    tr_tag(msg), tag);
	return msg;
}

void
tr_probe_expect_none(struct tr_probe *probe, int64_t ns)
{
	struct tr_msg *msg;

	probe_forget(probe);
	msg = probe_next(probe, ns);
	if (msg == NULL)
		return;
	probe->shown = msg;
	sim_fail(probe->sim, "tr_probe_expect_none: a message, tag %u",
	    tr_tag(msg));
}

void
tr_probe_reply(struct tr_probe *probe, uint32_t tag, const void *data,
    size_t size)
{
	if (probe->shown == NULL)
		sim_fail(probe->sim, "tr_probe_reply: there is no message");
	probe_order(probe,
	    &(struct order){
		.kind = DO_REPLY,
		.about = probe->shown,
		.tag = tag,
		.size = size,
	    },
	    data);
}

/* ------------------------------------------------------------------ all -- */

bool
sim_probe_is(const struct tr_sim *sim, tr_ref ref)
{
	const struct tr_probe *p;

	for (p = sim->probes; p != NULL; p = p->next)
		if (tr_ref_equal(p->ref, ref))
			return true;
	return false;
}

void
sim_agent_kill(struct tr_sim *sim, tr_ref victim)
{
	probe_order(sim->agent,
	    &(struct order){ .kind = DO_KILL, .to = victim }, NULL);
}
