/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html.h - texts within HTML.
 */
#ifndef BENCH_HTML_H
#define BENCH_HTML_H

#include <stdbool.h>
#include <stdio.h>

/** Write a text for an element or a quoted attribute. */
void html_text(FILE *out, const char *text);

/**
 * Write a file of JSON for the inside of a script element.  It stays the same
 * JSON.  Returns false when it cannot be read.
 */
bool html_json(FILE *out, const char *path);

#endif /* BENCH_HTML_H */
