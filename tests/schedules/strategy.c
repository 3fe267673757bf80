/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy.c - ways to choose who goes on.
 *
 * dfs      all schedules with at most `bound` preemptions, one after another.
 *          Musuvathi and Qadeer, "Iterative context bounding for systematic
 *          testing of multithreaded programs", PLDI 2007: most bugs need two.
 *          A delayed store costs as much as a preemption.
 * pct      random priorities, lowered at `depth` - 1 random steps.  Burckhardt
 *          et al., "A randomized scheduler with probabilistic guarantees of
 *          finding bugs", ASPLOS 2010: a bug of depth d among n threads and k
 *          steps is found with at least 1/(n k^(d-1)).
 * random   a random walk that changes threads with a probability drawn for
 *          each schedule.
 * replay   what a list says, and the usual choice behind its end.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

enum { PCT_DEPTH_MAX = 8, DRAIN_ONE_IN = 8 };

static uint64_t state = 1;

unsigned sched_depth = 3;

static uint64_t
draw(void)
{
	/* splitmix64 */
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned
draw_below(unsigned n)
{
	return (unsigned)((draw() >> 32) * n >> 32);
}

void
sched_seed(uint64_t seed, unsigned depth)
{
	state = seed * UINT64_C(0xd1342543de82ef95) + 1;
	sched_depth = depth > PCT_DEPTH_MAX ? PCT_DEPTH_MAX : depth;
}

/* ------------------------------------------------------- depth-first ---- */

static struct {
	struct {
		uint32_t decision;
		uint8_t pick, allowed, cheap;
	} step[SCHED_DECISIONS];
	unsigned depth; /* steps with a choice */
	unsigned at; /* of the running schedule */
	unsigned used; /* preemptions */
	unsigned bound;
} dfs;

void
sched_dfs_start(unsigned bound)
{
	dfs.depth = 0;
	dfs.bound = bound;
}

static void
dfs_begin(void)
{
	dfs.at = 0;
	dfs.used = 0;
}

static unsigned
dfs_pick(const uint8_t *agent, unsigned n, unsigned cheap)
{
	uint32_t decision = sched_run.decisions - 1;
	unsigned allowed = dfs.used < dfs.bound ? n : cheap, pick = 0;

	(void)agent;
	if (allowed < 2)
		return 0;
	if (dfs.at < dfs.depth) {
		if (dfs.step[dfs.at].decision != decision ||
		    dfs.step[dfs.at].allowed != allowed)
			sched_fail("the same choices led elsewhere: decision "
				   "%u, was %u",
			    decision, dfs.step[dfs.at].decision);
		pick = dfs.step[dfs.at].pick;
	} else {
		dfs.step[dfs.at].decision = decision;
		dfs.step[dfs.at].pick = 0;
		dfs.step[dfs.at].allowed = (uint8_t)allowed;
		dfs.depth++;
	}
	dfs.at++;
	dfs.used += pick >= cheap;
	return pick;
}

static bool
dfs_next(void)
{
	dfs.depth = dfs.at;
	while (dfs.depth > 0) {
		unsigned last = dfs.depth - 1;

		if (dfs.step[last].pick + 1 < dfs.step[last].allowed) {
			dfs.step[last].pick++;
			return true;
		}
		dfs.depth--;
	}
	return false;
}

const struct sched_strategy sched_dfs = { "dfs", dfs_begin, dfs_pick,
	dfs_next };

/* --------------------------------------------------------------- random - */

/* A store is delayed, or one of somebody arrives: now and then.  n: no. */
static unsigned
maybe_drain(const uint8_t *agent, unsigned n)
{
	unsigned i, drains = 0, k;

	if (agent[0] == SCHED_PROMPT)
		return draw_below(2);

	for (i = 0; i < n; i++)
		drains += agent[i] >= SCHED_DRAIN;
	if (drains == 0)
		return n;
	if (draw_below(DRAIN_ONE_IN) != 0)
		return n;
	k = draw_below(drains);
	for (i = 0; i < n; i++)
		if (agent[i] >= SCHED_DRAIN && k-- == 0)
			break;
	return i;
}

static unsigned walk_one_in;

static bool
random_next(void)
{
	return true;
}

static void
random_begin(void)
{
	walk_one_in = 2u << draw_below(5);
}

static unsigned
random_pick(const uint8_t *agent, unsigned n, unsigned cheap)
{
	unsigned drain = maybe_drain(agent, n), k;

	if (drain < n)
		return drain;
	if (cheap < n && draw_below(walk_one_in) != 0)
		return 0;
	do
		k = draw_below(n);
	while (agent[k] >= SCHED_DRAIN);
	return k;
}

const struct sched_strategy sched_random = { "random", random_begin,
	random_pick, random_next };

/* ------------------------------------------------------------------ pct - */

static struct {
	unsigned priority[SCHED_THREADS];
	uint32_t change[PCT_DEPTH_MAX];
	unsigned changes;
	unsigned lowest;
	uint32_t steps; /* of the longest schedule so far */
	const struct sched_case *of;
} pct;

static void
pct_begin(void)
{
	unsigned n = sched_run.of->threads;

	if (pct.of != sched_run.of)
		pct.steps = 32;
	pct.of = sched_run.of;
	pct.lowest = 1000;
	for (unsigned i = 0; i < n; i++) {
		unsigned k = draw_below(i + 1);

		pct.priority[i] = pct.priority[k];
		pct.priority[k] = 2000 + i;
	}
	pct.changes = sched_depth > 0 ? sched_depth - 1 : 0;
	for (unsigned i = 0; i < pct.changes; i++)
		pct.change[i] = draw_below(pct.steps);
}

static bool
pct_next(void)
{
	if (sched_run.decisions > pct.steps)
		pct.steps = sched_run.decisions;
	return true;
}

static unsigned
pct_pick(const uint8_t *agent, unsigned n, unsigned cheap)
{
	unsigned drain = maybe_drain(agent, n), best = n;
	int me = sched_current();

	(void)cheap;
	if (drain < n)
		return drain;
	for (unsigned i = 0; i < pct.changes; i++)
		if (pct.change[i] < sched_run.decisions && me >= 0) {
			pct.priority[me] = pct.lowest--;
			pct.change[i] = UINT32_MAX;
		}
	/* Who had to stop goes behind the others, or a loop that waits for
	 * them would keep them from going on. */
	if (me >= 0 && agent[0] != me)
		pct.priority[me] = pct.lowest--;
	for (unsigned i = 0; i < n; i++)
		if (agent[i] < SCHED_DRAIN &&
		    (best == n ||
			pct.priority[agent[i]] > pct.priority[agent[best]]))
			best = i;
	return best;
}

const struct sched_strategy sched_pct = { "pct", pct_begin, pct_pick,
	pct_next };

/* --------------------------------------------------------------- replay - */

static struct {
	struct sched_choice choice[SCHED_CHOICES];
	unsigned n, at;
} list;

void
sched_replay_list(const struct sched_choice *choice, unsigned n)
{
	memcpy(list.choice, choice, n * sizeof(*choice));
	list.n = n;
}

/* `12:1,40:0` */
bool
sched_replay_parse(const char *text)
{
	char *end;

	list.n = 0;
	while (*text >= '0' && *text <= '9' && list.n < SCHED_CHOICES) {
		unsigned long decision = strtoul(text, &end, 10), agent;

		if (*end != ':')
			return false;
		agent = strtoul(end + 1, &end, 10);
		list.choice[list.n++] =
		    (struct sched_choice){ (uint32_t)decision, (uint8_t)agent };
		text = end + (*end == ',' || *end == ' ');
	}
	return *text == '\0' || *text == '-';
}

static void
replay_begin(void)
{
	list.at = 0;
}

/* What does not fit is left out: a list that is being shortened still says
 * something. */
static unsigned
replay_pick(const uint8_t *agent, unsigned n, unsigned cheap)
{
	uint32_t decision = sched_run.decisions - 1;
	unsigned i;

	(void)cheap;
	while (list.at < list.n && list.choice[list.at].decision < decision)
		list.at++;
	if (list.at == list.n || list.choice[list.at].decision != decision)
		return 0;
	for (i = 0; i < n; i++)
		if (agent[i] == list.choice[list.at].agent)
			return i;
	return 0;
}

static bool
replay_next(void)
{
	return false;
}

const struct sched_strategy sched_replay = { "replay", replay_begin,
	replay_pick, replay_next };
