/* SPDX-License-Identifier: BSD-2-Clause */
/* sample.h - reads a file's start: the header, and what types there are. */
#ifndef INGEST_SAMPLE_H
#define INGEST_SAMPLE_H

#include "plan.h"

/* Make the input's recipe, types included, from its first rows. */
int sample_input(struct input *input, const struct options *o,
    struct fault *fault);

#endif
