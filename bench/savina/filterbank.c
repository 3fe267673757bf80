/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filterbank.c - Savina 19, Filter Bank: a pipeline that splits and joins.
 *
 *     producer <-> source -> branches -> 8 banks -> integrator -> combiner
 *                                                                   -> sink
 *     bank: -> delay -> filter -> sampler -> delay -> filter -> label ->
 *
 * A filter computes a sum over as many values as there are columns, for each
 * value that it gets: nearly all of the time goes there, in 16 of the actors.
 *
 * Checked here (the original prints a value now and then): the number of
 * results, and each of them bit by bit.  They are known, for of all values that
 * a second filter sees at once only one is not 0, the last that its sampler let
 * through, and it always stands in the same column.  With the original's
 * parameters even that one is 0, for there the delays are as long as the run.
 *
 * The suite's Akka program warns that it deadlocks, and does not say why.  None
 * of its actors waits for another, and the only cycle, that of producer and
 * source, has one message in it.  What can hang is its end.  It has come when
 * a counter of all actors is back at 0: each start counts it up, and each actor
 * counts it down when it ends.  The integrator is started eight times, once by
 * each bank, and seven of these have to be taken back by an answer that comes
 * through a future; and actors end by a message that everybody passes on as its
 * last deed, eight of which the integrator must see.  One answer or message
 * that is lost (Akka restarts an actor that throws, and its count begins anew;
 * an actor that has ended answers no start) and the program waits for ever.
 * Here the sink knows how many results there will be, and nothing is counted
 * in order to end: the last result ends the system.
 */
#include <stdlib.h>

#include "savina.h"

enum { CHANNELS = 8, VALUES = 1000 /* the source's values, 0 to 999 */ };

#define BANK(MSG, P)                     \
	MSG(P, next, TR_EMPTY)           \
	MSG(P, boot, TR_EMPTY)           \
	MSG(P, value, { double value; }) \
	MSG(P, labelled, {               \
		double value;            \
		uint32_t channel;        \
	})                               \
	MSG(P, row, { double value[CHANNELS]; })
TR_PROTOCOL(bank, BANK);

/* What does not change, for all to look at. */
struct columns {
	uint64_t count;
	double *first[CHANNELS]; /* coefficients of the first filters */
	double *second[CHANNELS];
};

/* Of branches, of a bank, and of its stages. */
struct stage_arg {
	bank_ref next;
	const struct columns *columns;
	const double *coefficients; /* of a filter */
	uint32_t channel;
};

static bank_ref
bank_make(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg)
{
	bank_ref ref = bank_spawn(self, behavior, arg, NULL);

	bench_check(tr_ref_valid(ref.ref), "filterbank: spawn");
	return ref;
}

static int
bank_pass(struct tr_self *self, bank_ref next, double value)
{
	return bank_send_value(self, next, (struct bank_value){ value });
}

/* --------------------------------------------------- stages of a bank --- */

/* They differ in what they do with a value. */
struct stage {
	struct stage_arg given;
	uint64_t seen;
	double *ring; /* one place for each column */
};

static int
stage_start(struct tr_self *self, void *state, const void *arg)
{
	struct stage *stage = state;

	(void)self;
	stage->given = *(const struct stage_arg *)arg;
	stage->ring = calloc(stage->given.columns->count, sizeof(double));
	return stage->ring != NULL ? TR_OK : TR_ENOMEM;
}

static void
stage_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct stage *stage = state;

	(void)self;
	(void)why;
	free(stage->ring);
}

/* Its delay is one value less than there are columns. */
static int
delay_on_value(struct tr_self *self, struct stage *delay,
    const struct bank_value *value)
{
	uint64_t length = delay->given.columns->count - 1;
	double *place = &delay->ring[delay->seen++ % length];
	double old = *place;

	*place = value->value;
	return bank_pass(self, delay->given.next, old);
}

TR_ACTOR(delay, struct stage, bank, BANK, .value = delay_on_value);

static const struct tr_behavior delay_behavior = {
	.name = "delay",
	.state_size = sizeof(struct stage),
	.arg_size = sizeof(struct stage_arg),
	.start = stage_start,
	.receive = delay_receive,
	.stop = stage_stop,
	.protocol = &bank_protocol,
};

/* The ring is summed up from its begin, not from the oldest value on: so does
 * the original. */
static int
filter_on_value(struct tr_self *self, struct stage *filter,
    const struct bank_value *value)
{
	const double *coefficients = filter->given.coefficients;
	uint64_t count = filter->given.columns->count;
	double sum = 0;

	filter->ring[filter->seen++ % count] = value->value;
	if (filter->seen < count)
		return TR_OK;
	for (uint64_t i = 0; i < count; i++)
		sum += filter->ring[i] * coefficients[count - i - 1];
	return bank_pass(self, filter->given.next, sum);
}

TR_ACTOR(filter, struct stage, bank, BANK, .value = filter_on_value);

static const struct tr_behavior filter_behavior = {
	.name = "filter",
	.state_size = sizeof(struct stage),
	.arg_size = sizeof(struct stage_arg),
	.start = stage_start,
	.receive = filter_receive,
	.stop = stage_stop,
	.protocol = &bank_protocol,
};

/* Lets one of as many values as there are columns through, makes others 0. */
static int
sampler_on_value(struct tr_self *self, struct stage *sampler,
    const struct bank_value *value)
{
	bool through = sampler->seen++ % sampler->given.columns->count == 0;

	return bank_pass(self, sampler->given.next, through ? value->value : 0);
}

TR_ACTOR(sampler, struct stage, bank, BANK, .value = sampler_on_value);

static const struct tr_behavior sampler_behavior = {
	.name = "sampler",
	.state_size = sizeof(struct stage),
	.arg_size = sizeof(struct stage_arg),
	.start = stage_start,
	.receive = sampler_receive,
	.stop = stage_stop,
	.protocol = &bank_protocol,
};

static int
label_on_value(struct tr_self *self, struct stage *label,
    const struct bank_value *value)
{
	return bank_send_labelled(self, label->given.next,
	    (struct bank_labelled){ value->value, label->given.channel });
}

TR_ACTOR(label, struct stage, bank, BANK, .value = label_on_value);

static const struct tr_behavior label_behavior = {
	.name = "label",
	.state_size = sizeof(struct stage),
	.arg_size = sizeof(struct stage_arg),
	.start = stage_start,
	.receive = label_receive,
	.stop = stage_stop,
	.protocol = &bank_protocol,
};

/* --------------------------------------------------- bank and branches --- */

struct bank {
	bank_ref first;
};

static int
bank_start(struct tr_self *self, void *state, const void *arg)
{
	struct stage_arg stage = *(const struct stage_arg *)arg;

	stage.next = bank_make(self, &label_behavior, &stage);
	stage.coefficients = stage.columns->second[stage.channel];
	stage.next = bank_make(self, &filter_behavior, &stage);
	stage.next = bank_make(self, &delay_behavior, &stage);
	stage.next = bank_make(self, &sampler_behavior, &stage);
	stage.coefficients = stage.columns->first[stage.channel];
	stage.next = bank_make(self, &filter_behavior, &stage);
	((struct bank *)state)->first =
	    bank_make(self, &delay_behavior, &stage);
	return TR_OK;
}

static int
bank_on_value(struct tr_self *self, struct bank *bank,
    const struct bank_value *value)
{
	return bank_send_value(self, bank->first, *value);
}

TR_ACTOR(bank, struct bank, bank, BANK, .value = bank_on_value);

static const struct tr_behavior bank_behavior = {
	.name = "bank",
	.state_size = sizeof(struct bank),
	.arg_size = sizeof(struct stage_arg),
	.start = bank_start,
	.receive = bank_receive,
	.protocol = &bank_protocol,
};

struct branches {
	bank_ref bank[CHANNELS];
};

static int
branches_start(struct tr_self *self, void *state, const void *arg)
{
	struct stage_arg stage = *(const struct stage_arg *)arg;
	struct branches *branches = state;

	for (stage.channel = 0; stage.channel < CHANNELS; stage.channel++)
		branches->bank[stage.channel] =
		    bank_make(self, &bank_behavior, &stage);
	return TR_OK;
}

static int
branches_on_value(struct tr_self *self, struct branches *branches,
    const struct bank_value *value)
{
	int error = TR_OK;

	for (int i = 0; i < CHANNELS && error == TR_OK; i++)
		error = bank_send_value(self, branches->bank[i], *value);
	return error;
}

TR_ACTOR(branches, struct branches, bank, BANK, .value = branches_on_value);

static const struct tr_behavior branches_behavior = {
	.name = "branches",
	.state_size = sizeof(struct branches),
	.arg_size = sizeof(struct stage_arg),
	.start = branches_start,
	.receive = branches_receive,
	.protocol = &bank_protocol,
};

/* ------------------------------------------------ producer and source --- */

struct producer_arg {
	bank_ref source;
	uint64_t left; /* values to order */
};

static int
producer_on_next(struct tr_self *self, struct producer_arg *producer)
{
	if (producer->left == 0)
		return TR_OK;
	producer->left--;
	return bank_send_boot(self, producer->source);
}

static int
producer_start(struct tr_self *self, void *state, const void *arg)
{
	*(struct producer_arg *)state = *(const struct producer_arg *)arg;
	return producer_on_next(self, state);
}

TR_ACTOR(producer, struct producer_arg, bank, BANK, .next = producer_on_next);

static const struct tr_behavior producer_behavior = {
	.name = "producer",
	.state_size = sizeof(struct producer_arg),
	.arg_size = sizeof(struct producer_arg),
	.start = producer_start,
	.receive = producer_receive,
	.protocol = &bank_protocol,
};

struct source {
	bank_ref next;
	unsigned value;
};

static int
source_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct source *)state)->next = *(const bank_ref *)arg;
	return TR_OK;
}

static int
source_on_boot(struct tr_self *self, struct source *source)
{
	int error = bank_pass(self, source->next, source->value);

	source->value = (source->value + 1) % VALUES;
	return error != TR_OK ? error : bank_reply_next(self);
}

TR_ACTOR(source, struct source, bank, BANK, .boot = source_on_boot);

static const struct tr_behavior source_behavior = {
	.name = "source",
	.state_size = sizeof(struct source),
	.arg_size = sizeof(bank_ref),
	.start = source_start,
	.receive = source_receive,
	.protocol = &bank_protocol,
};

/* -------------------------------------------- integrator and combiner --- */

struct integrator_arg {
	bank_ref next;
	uint64_t rows; /* how many there will be */
};

struct integrator {
	struct integrator_arg given;
	struct bank_row *row;
	uint64_t came[CHANNELS];
	uint64_t passed;
};

static int
integrator_start(struct tr_self *self, void *state, const void *arg)
{
	struct integrator *integrator = state;

	(void)self;
	integrator->given = *(const struct integrator_arg *)arg;
	integrator->row =
	    calloc(integrator->given.rows, sizeof(*integrator->row));
	return integrator->row != NULL ? TR_OK : TR_ENOMEM;
}

static void
integrator_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct integrator *integrator = state;

	(void)self;
	(void)why;
	free(integrator->row);
}

/* A row is whole when the slowest of the channels has come to it. */
static int
integrator_on_labelled(struct tr_self *self, struct integrator *integrator,
    const struct bank_labelled *labelled)
{
	uint64_t nth = integrator->came[labelled->channel]++;

	bench_check(nth < integrator->given.rows,
	    "filterbank: no channel has more than its results");
	integrator->row[nth].value[labelled->channel] = labelled->value;
	for (int i = 0; i < CHANNELS; i++) {
		if (integrator->came[i] == integrator->passed)
			return TR_OK;
	}
	return bank_send_row(self, integrator->given.next,
	    integrator->row[integrator->passed++]);
}

TR_ACTOR(integrator, struct integrator, bank, BANK,
    .labelled = integrator_on_labelled);

static const struct tr_behavior integrator_behavior = {
	.name = "integrator",
	.state_size = sizeof(struct integrator),
	.arg_size = sizeof(struct integrator_arg),
	.start = integrator_start,
	.receive = integrator_receive,
	.stop = integrator_stop,
	.protocol = &bank_protocol,
};

struct combiner {
	bank_ref next;
};

static int
combiner_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct combiner *)state)->next = *(const bank_ref *)arg;
	return TR_OK;
}

static double
combiner_sum(const struct bank_row *row)
{
	double sum = 0;

	for (int i = 0; i < CHANNELS; i++)
		sum += row->value[i];
	return sum;
}

static int
combiner_on_row(struct tr_self *self, struct combiner *combiner,
    const struct bank_row *row)
{
	return bank_pass(self, combiner->next, combiner_sum(row));
}

TR_ACTOR(combiner, struct combiner, bank, BANK, .row = combiner_on_row);

static const struct tr_behavior combiner_behavior = {
	.name = "combiner",
	.state_size = sizeof(struct combiner),
	.arg_size = sizeof(bank_ref),
	.start = combiner_start,
	.receive = combiner_receive,
	.protocol = &bank_protocol,
};

/* --------------------------------------------------------------- sink --- */

struct sink {
	struct bench *b;
	const struct columns *columns;
	uint64_t results;
	uint64_t seen;
	double expected;
};

static int
sink_start(struct tr_self *self, void *state, const void *arg)
{
	struct sink *sink = state;
	bank_ref me = bank_of(tr_self_ref(self)), branches;
	struct integrator_arg integrator;
	struct producer_arg producer;
	struct stage_arg stage = { 0 };

	sink->b = bench_of(arg);
	sink->columns = sink->b->ctx;
	producer.left = bench_param(sink->b, "simulations");
	sink->results = producer.left - 2 * (sink->columns->count - 1);
	bench_begin(sink->b, self);
	integrator.rows = sink->results;
	integrator.next = bank_make(self, &combiner_behavior, &me);
	stage.next = bank_make(self, &integrator_behavior, &integrator);
	stage.columns = sink->columns;
	branches = bank_make(self, &branches_behavior, &stage);
	producer.source = bank_make(self, &source_behavior, &branches);
	(void)bank_make(self, &producer_behavior, &producer);
	return TR_OK;
}

/*
 * The results of round `round`, a round being as many as there are columns.
 * A first filter began its sum with as many values as there are columns; the
 * source's came to it behind the first delay's zeros.
 */
static double
sink_expected(const struct columns *columns, uint64_t round)
{
	uint64_t count = columns->count;
	struct bank_row row = { { 0 } };

	for (int channel = 0; channel < CHANNELS; channel++) {
		for (uint64_t i = round > 0 ? 0 : count - 1; i < count; i++)
			row.value[channel] +=
			    (double)((round * count + i + 1 - count) % VALUES) *
			    columns->first[channel][count - i - 1];
		row.value[channel] *= columns->second[channel][0];
	}
	return combiner_sum(&row);
}

static int
sink_on_value(struct tr_self *self, struct sink *sink,
    const struct bank_value *value)
{
	if (sink->seen % sink->columns->count == 0)
		sink->expected = sink_expected(sink->columns,
		    sink->seen / sink->columns->count);
	bench_check(value->value == sink->expected,
	    "filterbank: each result is what it has to be");
	if (++sink->seen < sink->results)
		return TR_OK;
	return bench_end(sink->b, self, bench_param(sink->b, "simulations"));
}

TR_ACTOR(sink, struct sink, bank, BANK, .value = sink_on_value);

static const struct tr_behavior sink_behavior = {
	.name = "sink",
	.state_size = sizeof(struct sink),
	.arg_size = sizeof(struct bench *),
	.start = sink_start,
	.receive = sink_receive,
	.protocol = &bank_protocol,
};

/* ------------------------------------------------------- coefficients --- */

static double *
columns_new(uint64_t count)
{
	double *column = malloc(count * sizeof(*column));

	bench_check(column != NULL, "filterbank: memory");
	return column;
}

static void
filterbank_setup(struct bench *b)
{
	struct columns *columns = malloc(sizeof(*columns));
	double i, j, n;

	bench_check(columns != NULL, "filterbank: memory");
	columns->count = bench_param(b, "columns");
	n = (double)columns->count;
	for (unsigned channel = 0; channel < CHANNELS; channel++) {
		columns->first[channel] = columns_new(columns->count);
		columns->second[channel] = columns_new(columns->count);
		j = channel;
		for (uint64_t at = 0; at < columns->count; at++) {
			i = (double)at;
			columns->first[channel][at] =
			    i * n + j * CHANNELS + j + i + j + 1;
			columns->second[channel][at] = i * j + j * j + j + i;
		}
	}
	b->ctx = columns;
}

static void
filterbank_teardown(struct bench *b)
{
	struct columns *columns = b->ctx;

	for (int channel = 0; channel < CHANNELS; channel++) {
		free(columns->first[channel]);
		free(columns->second[channel]);
	}
	free(columns);
}

const struct bench_case savina_filterbank = {
	.name = "filterbank",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a value that goes through all banks",
	.params = {
		{ "columns", { 32, 16384, 8192 } },
		{ "simulations", { 200, 34816, 42000 } },
	},
	.root = &sink_behavior,
	.setup = filterbank_setup,
	.teardown = filterbank_teardown,
};
