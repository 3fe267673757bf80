/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes: actors that the scenario speaks for, and listens with.
 *
 * What a probe shall do is posted to it as a pointer to an order, which it
 * carries out in a turn of its own; what it gets it keeps for the scenario.
 * The agent is a probe that nobody sees; it kills for the faults.
 */
#include "sim/sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER = 0x7e57a9e7 }; /* the tag of an order */

enum order_kind { DO_SEND, DO_ASK, DO_REPLY, DO_KILL };

struct order {
	enum order_kind kind;
	tr_ref to;
	uint32_t tag;
	int64_t timeout_ns;
	size_t size;
	char data[];
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
	bool ended; /* its ask */
	int outcome;
};

/* -------------------------------------------------------- in its turn ---- */

static void
probe_keep(struct tr_probe *p, struct tr_msg *msg)
{
	struct received *r = malloc(sizeof(*r));

	if (r == NULL)
		abort();
	*r = (struct received){ NULL, msg };
	if (p->last != NULL)
		p->last->next = r;
	else
		p->first = r;
	p->last = r;
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
		if (p->shown != NULL)
			(void)tr_reply(self, p->shown, o->tag, o->data,
			    o->size);
		break;
	case DO_KILL: (void)tr_kill(self, o->to); break;
	}
}

static int
probe_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_probe *p = *(struct tr_probe **)state;
	struct tr_msg *kept;
	struct order *o;

	if (tr_tag(msg) == ORDER && tr_size(msg) == sizeof(o)) {
		memcpy(&o, tr_data(msg, sizeof(o)), sizeof(o));
		probe_obey(p, self, o);
		free(o);
		return TR_OK;
	}
	kept = tr_take(self, msg);
	if (kept != NULL)
		probe_keep(p, kept);
	else if (tr_sender(msg).bits != 0)
		(void)tr_reply_error(self, msg, TR_ENOMEM);
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
	tr_msg_drop(&p->shown);
	while (p->first != NULL) {
		struct received *r = p->first;

		p->first = r->next;
		tr_msg_drop(&r->msg);
		free(r);
	}
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

static void
probe_order(struct tr_probe *p, enum order_kind kind, tr_ref to, uint32_t tag,
    const void *data, size_t size, int64_t timeout_ns)
{
	struct order *o = malloc(sizeof(*o) + size);
	unsigned allowed = p->sim->allowed, fail_next = p->sim->fail_next;
	int rc;

	if (o == NULL)
		abort();
	*o = (struct order){ kind, to, tag, timeout_ns, size };
	if (size > 0)
		memcpy(o->data, data, size);
	/* The scenario's own hand does not tremble. */
	p->sim->allowed &= ~(unsigned)TR_FAULT_NOMEM;
	p->sim->fail_next = 0;
	rc = tr_post(p->sim->sys, p->ref, ORDER, &o, sizeof(o));
	p->sim->allowed = allowed;
	p->sim->fail_next = fail_next;
	if (rc != TR_OK)
		free(o);
}

struct tr_probe *
tr_probe_new(struct tr_sim *sim, const char *name)
{
	struct tr_probe *p = calloc(1, sizeof(*p));
	int error = TR_OK;

	if (p == NULL)
		abort();
	p->sim = sim;
	p->next = sim->probes;
	sim->probes = p;
	p->ref = tr_system_spawn(sim->sys, &probe_behavior, p,
	    &(struct tr_spawn_options){ .name = name, .error = &error });
	if (!tr_ref_valid(p->ref))
		sim_fail(sim, "tr_probe_new: %s", tr_strerror(error));
	return p;
}

tr_ref
tr_probe_ref(struct tr_probe *probe)
{
	return probe->ref;
}

/* What was shown is over. */
static void
probe_forget(struct tr_probe *p)
{
	/* Its actor does not run now, so this is as good as its own turn, but
	 * for an ask: that waits for the actor's end. */
	if (p->shown != NULL && p->shown->kind != TRI_MSG_ASK)
		tr_msg_drop(&p->shown);
	else if (p->shown != NULL)
		probe_keep(p, p->shown);
	p->shown = NULL;
}

void
tr_probe_send(struct tr_probe *probe, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	probe_order(probe, DO_SEND, to, tag, data, size, 0);
}

int
tr_probe_ask(struct tr_probe *probe, tr_ref to, uint32_t tag, const void *data,
    size_t size, int64_t timeout_ns, const struct tr_msg **answer)
{
	struct tr_sim *sim = probe->sim;

	probe_forget(probe);
	probe->ended = false;
	probe_order(probe, DO_ASK, to, tag, data, size, timeout_ns);
	while (!probe->ended)
		if (!sim_step(sim, INT64_MAX))
			sim_fail(sim, "tr_probe_ask: the ask does not end");
	if (answer != NULL)
		*answer = probe->shown;
	return probe->outcome;
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
	free(r);
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
	probe_order(probe, DO_REPLY, TR_REF_NONE, tag, data, size, 0);
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
	probe_order(sim->agent, DO_KILL, victim, 0, NULL, 0, 0);
}

void
sim_probes_fini(struct tr_sim *sim)
{
	while (sim->probes != NULL) {
		struct tr_probe *p = sim->probes;

		sim->probes = p->next;
		while (p->first != NULL) {
			struct received *r = p->first;

			p->first = r->next;
			free(r);
		}
		free(p);
	}
	sim->agent = NULL;
}
