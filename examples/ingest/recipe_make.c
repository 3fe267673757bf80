/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recipe_make.c - turns the options and a header into a recipe.
 *
 * Every name in an option is looked up here, so that a wrong one is reported
 * before anything is read or written.  A name is that of a slot, exactly or,
 * failing that, apart from letters' case.
 */
#include "recipe.h"

#include "notation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const size_t no_slot = (size_t)-1;

static size_t
recipe_slot(const struct recipe *r, const char *name)
{
	for (size_t i = 0; i < r->slots; i++) {
		if (strcmp(r->names[i], name) == 0)
			return i;
	}
	for (size_t i = 0; i < r->slots; i++) {
		if (strcasecmp(r->names[i], name) == 0)
			return i;
	}
	return no_slot;
}

static int
recipe_bad(const char *option, const char *text, const char *want,
    struct fault *fault)
{
	return fault_set(fault, STATUS_USAGE, "--%s '%s': it must be %s",
	    option, text, want);
}

static int
recipe_no_column(const struct recipe *r, const char *option, const char *text,
    const char *name, struct fault *fault)
{
	size_t used;

	fault_set(fault, STATUS_USAGE,
	    "--%s '%s': there is no column '%s'; there are: ", option, text,
	    name);
	for (size_t i = 0; i < r->slots; i++) {
		used = strlen(fault->text);
		snprintf(fault->text + used, sizeof fault->text - used, "%s%s",
		    i == 0 ? "" : ", ", r->names[i]);
	}
	return -1;
}

/* ------------------------------------------------------------- header --- */

static bool
recipe_has_name(const struct recipe *r, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(r->names[i], name) == 0)
			return true;
	}
	return false;
}

/* Name slot `i`; returns NULL without memory. */
static const char *
recipe_slot_name(struct recipe *r, size_t i, const struct value *field)
{
	char number[32];
	size_t size = field != NULL ? field->size : 0, room;
	char *name;

	room = size + sizeof number + sizeof "column_";
	name = arena_alloc(&r->text, room);
	if (name == NULL)
		return NULL;
	if (field == NULL)
		snprintf(name, room, "c%zu", i + 1);
	else if (size == 0)
		snprintf(name, room, "column_%zu", i + 1);
	else
		*(char *)mempcpy(name, field->as.text, size) = '\0';
	size = strlen(name);
	for (size_t n = 2; recipe_has_name(r, i, name); n++)
		snprintf(name + size, room - size, "_%zu", n);
	return name;
}

static int
recipe_make_slots(struct recipe *r, const struct value *header, size_t count,
    struct fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		const struct value *field = header != NULL ? &header[i] : NULL;

		if (field != NULL && field->size > 0 &&
		    memchr(field->as.text, '\0', field->size) != NULL)
			return fault_set(fault, STATUS_HEADER,
			    "the name of column %zu has a NUL byte", i + 1);
		r->names[i] = recipe_slot_name(r, i, field);
		if (r->names[i] == NULL)
			return fault_no_memory(fault);
		r->slots++;
	}
	r->inputs = count;
	return 0;
}

/* ------------------------------------------------------------ derives --- */

static int
recipe_make_arg(struct recipe *r, struct recipe_arg *arg, struct notation *n,
    const char *text, struct fault *fault)
{
	bool quoted = *n->at == '"';
	const char *name = notation_quoted(n);
	double number;

	if (name != NULL) {
		arg->literal = value_text(name, strlen(name));
		return 0;
	}
	name = notation_name(n, ",()");
	if (name == NULL)
		return recipe_bad("derive", text,
		    "NAME=FUNCTION(ARG, ...), an argument is missing", fault);
	arg->slot = recipe_slot(r, name);
	arg->is_slot = arg->slot != no_slot;
	arg->literal = value_text(name, strlen(name));
	if (!arg->is_slot && (quoted || !value_number(&arg->literal, &number)))
		return recipe_no_column(r, "derive", text, name, fault);
	return 0;
}

static int
recipe_make_args(struct recipe *r, struct recipe_derive *d, struct notation *n,
    const char *text, struct fault *fault)
{
	do {
		if (d->count == FUNCTION_ARGS_MAX)
			return recipe_bad("derive", text,
			    "a function of at most 8 arguments", fault);
		if (recipe_make_arg(r, &d->args[d->count++], n, text, fault) !=
		    0)
			return -1;
	} while (notation_accept(n, ","));
	if (!notation_accept(n, ")") || !notation_at_end(n))
		return recipe_bad("derive", text, "NAME=FUNCTION(ARG, ...)",
		    fault);
	if (d->count < d->function->min_args ||
	    d->count > d->function->max_args)
		return fault_set(fault, STATUS_USAGE, "--derive '%s': %s%s",
		    text, d->function->name, d->function->help);
	return 0;
}

static int
recipe_make_derive(struct recipe *r, const char *text, struct fault *fault)
{
	struct recipe_derive *d = &r->derives[r->derive_count++];
	struct notation n = notation_init(text, &r->text);
	const char *name = notation_name(&n, "="), *function;

	if (name == NULL || !notation_accept(&n, "=") ||
	    (function = notation_name(&n, "(")) == NULL ||
	    !notation_accept(&n, "("))
		return recipe_bad("derive", text, "NAME=FUNCTION(ARG, ...)",
		    fault);
	d->function = function_find(function);
	if (d->function == NULL)
		return fault_set(fault, STATUS_USAGE,
		    "--derive '%s': there is no function '%s' (see --help)",
		    text, function);
	if (recipe_make_args(r, d, &n, text, fault) != 0)
		return -1;
	d->slot = recipe_slot(r, name);
	if (d->slot == no_slot) {
		d->slot = r->slots;
		r->names[r->slots++] = name;
	}
	return 0;
}

/* ------------------------------------------------------------ filters --- */

static int
recipe_make_filter(struct recipe *r, const char *text, struct fault *fault)
{
	/* The longer ones first. */
	static const struct {
		const char *sign;
		enum recipe_operator compare;
	} signs[] = { { "!=", OP_UNEQUAL }, { "<>", OP_UNEQUAL },
		{ "<=", OP_LESS_EQUAL }, { ">=", OP_GREATER_EQUAL },
		{ "!~", OP_CONTAINS_NOT }, { "==", OP_EQUAL },
		{ "=", OP_EQUAL }, { "<", OP_LESS }, { ">", OP_GREATER },
		{ "~", OP_CONTAINS } };
	struct recipe_filter *f = &r->filters[r->filter_count++];
	struct notation n = notation_init(text, &r->text);
	const char *name = notation_name(&n, "=!<>~"), *value;
	size_t i = 0, count = sizeof signs / sizeof signs[0];

	while (name != NULL && i < count && !notation_accept(&n, signs[i].sign))
		i++;
	if (name == NULL || i == count)
		return recipe_bad("where", text,
		    "COLUMN OP VALUE with OP one of = != < <= > >= ~ !~",
		    fault);
	f->compare = signs[i].compare;
	f->slot = recipe_slot(r, name);
	if (f->slot == no_slot)
		return recipe_no_column(r, "where", text, name, fault);
	value = notation_quoted(&n);
	if (value != NULL && !notation_at_end(&n))
		return recipe_bad("where", text,
		    "COLUMN OP 'VALUE', nothing may follow", fault);
	if (value != NULL) {
		f->value = value_text(value, strlen(value));
		return 0;
	}
	value = notation_name(&n, "");
	value = value != NULL ? value : "";
	f->value = value_text(value, strlen(value));
	f->is_number = value_number(&f->value, &f->number);
	return 0;
}

/* ------------------------------------------------------------ columns --- */

static void
recipe_add_column(struct recipe *r, size_t slot)
{
	r->columns[r->column_count++] =
	    (struct recipe_column){ .name = r->names[slot],
		    .slot = slot,
		    .type = VALUE_TEXT };
}

static int
recipe_make_columns(struct recipe *r, const char *select, struct fault *fault)
{
	struct notation n;

	if (select == NULL) {
		for (size_t i = 0; i < r->slots; i++)
			recipe_add_column(r, i);
		return 0;
	}
	n = notation_init(select, &r->text);
	do {
		const char *name = notation_name(&n, ",");
		size_t slot;

		if (name == NULL)
			return recipe_bad("select", select, "COLUMN, ...",
			    fault);
		slot = recipe_slot(r, name);
		if (slot == no_slot)
			return recipe_no_column(r, "select", select, name,
			    fault);
		if (r->column_count == r->slots)
			return recipe_bad("select", select,
			    "a list without repetitions", fault);
		recipe_add_column(r, slot);
	} while (notation_accept(&n, ","));
	if (!notation_at_end(&n))
		return recipe_bad("select", select, "COLUMN, ...", fault);
	return 0;
}

/* The table's column for the name before a =; NULL: the fault is filled. */
static struct recipe_column *
recipe_column(struct recipe *r, const char *option, struct notation *n,
    const char *text, struct fault *fault)
{
	const char *name = notation_name(n, "=");
	size_t slot;

	if (name == NULL || !notation_accept(n, "=")) {
		recipe_bad(option, text, "COLUMN=...", fault);
		return NULL;
	}
	slot = recipe_slot(r, name);
	for (size_t i = 0; i < r->column_count; i++) {
		if (slot == no_slot ? strcmp(r->columns[i].name, name) == 0 :
				      r->columns[i].slot == slot)
			return &r->columns[i];
	}
	recipe_no_column(r, option, text, name, fault);
	return NULL;
}

static int
recipe_make_rename(struct recipe *r, const char *text, struct fault *fault)
{
	struct notation n = notation_init(text, &r->text);
	struct recipe_column *c = recipe_column(r, "rename", &n, text, fault);

	if (c == NULL)
		return -1;
	c->name = notation_name(&n, "=");
	if (c->name == NULL || *c->name == '\0' || !notation_at_end(&n))
		return recipe_bad("rename", text, "COLUMN=NAME", fault);
	return 0;
}

static int
recipe_make_type(struct recipe *r, const char *text, struct fault *fault)
{
	struct notation n = notation_init(text, &r->text);
	struct recipe_column *c = recipe_column(r, "type", &n, text, fault);
	const char *type;

	if (c == NULL)
		return -1;
	type = notation_name(&n, "");
	if (type == NULL || !value_type_parse(type, &c->type))
		return recipe_bad("type", text,
		    "COLUMN=TYPE with TYPE one of INTEGER, REAL, TEXT", fault);
	c->fixed = true;
	return 0;
}

static int
recipe_check_columns(const struct recipe *r, struct fault *fault)
{
	if (r->column_count > RECIPE_COLUMNS_MAX)
		return fault_set(fault, STATUS_HEADER,
		    "%zu columns: SQLite takes at most %d", r->column_count,
		    RECIPE_COLUMNS_MAX);
	for (size_t i = 0; i < r->column_count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcasecmp(r->columns[i].name,
				r->columns[k].name) == 0)
				return fault_set(fault, STATUS_USAGE,
				    "two columns of the table would be named "
				    "'%s'",
				    r->columns[i].name);
		}
	}
	return 0;
}

static int
recipe_each(struct recipe *r, const struct option_list *list,
    int (*make)(struct recipe *, const char *, struct fault *),
    struct fault *fault)
{
	for (size_t i = 0; i < list->count; i++) {
		if (make(r, list->at[i], fault) != 0)
			return -1;
	}
	return 0;
}

int
recipe_init(struct recipe *r, const struct options *o,
    const struct value *header, size_t count, struct fault *fault)
{
	size_t slots = count + o->derives.count;

	memset(r, 0, sizeof *r);
	r->empty_null = o->empty_null;
	if (count > RECIPE_COLUMNS_MAX)
		return fault_set(fault, STATUS_HEADER,
		    "%zu columns: at most %d are possible", count,
		    RECIPE_COLUMNS_MAX);
	r->names = calloc(slots, sizeof *r->names);
	r->columns = calloc(slots, sizeof *r->columns);
	r->derives = calloc(o->derives.count + 1, sizeof *r->derives);
	r->filters = calloc(o->filters.count + 1, sizeof *r->filters);
	if (r->names == NULL || r->columns == NULL || r->derives == NULL ||
	    r->filters == NULL)
		return fault_no_memory(fault);
	if (recipe_make_slots(r, header, count, fault) != 0 ||
	    recipe_each(r, &o->derives, recipe_make_derive, fault) != 0 ||
	    recipe_each(r, &o->filters, recipe_make_filter, fault) != 0 ||
	    recipe_make_columns(r, o->select, fault) != 0 ||
	    recipe_each(r, &o->renames, recipe_make_rename, fault) != 0 ||
	    recipe_each(r, &o->types, recipe_make_type, fault) != 0)
		return -1;
	return recipe_check_columns(r, fault);
}

void
recipe_fini(struct recipe *r)
{
	free(r->names);
	free(r->columns);
	free(r->derives);
	free(r->filters);
	arena_clear(&r->text, 0);
	memset(r, 0, sizeof *r);
}
