/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html.c - texts within HTML.
 *
 * Every text that comes from a file goes through here.  What HTML gives a
 * meaning is written as a reference; control characters, and bytes that are no
 * UTF-8, become U+FFFD, so that the page is well-formed whatever was read.
 */
#include "html.h"

#include <stddef.h>
#include <stdint.h>

#define HTML_REPLACEMENT "\xef\xbf\xbd"

/* The length of the character at the beginning of a text; 0: it is no UTF-8. */
static size_t
html_utf8(const unsigned char *text)
{
	static const struct {
		unsigned char mask;
		unsigned char lead;
		uint32_t least;
	} kinds[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
	uint32_t code;

	for (size_t n = 0; n < sizeof(kinds) / sizeof(kinds[0]); n++) {
		if ((text[0] & kinds[n].mask) != kinds[n].lead)
			continue;
		code = (uint32_t)(text[0] & ~kinds[n].mask);
		for (size_t i = 1; i <= n; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (text[i] & 0x3f);
		}
		if (code < kinds[n].least || code > 0x10ffff ||
		    (code >= 0xd800 && code < 0xe000))
			return 0;
		return n + 1;
	}
	return 0;
}

void
html_text(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length;

	while (*at != '\0') {
		length = html_utf8(at);
		switch (*at) {
		case '&': (void)fputs("&amp;", out); break;
		case '<': (void)fputs("&lt;", out); break;
		case '>': (void)fputs("&gt;", out); break;
		case '"': (void)fputs("&quot;", out); break;
		case '\'': (void)fputs("&#39;", out); break;
		default:
			if (length == 0 || *at < ' ' || *at == 127)
				(void)fputs(HTML_REPLACEMENT, out);
			else
				(void)fwrite(at, 1, length, out);
		}
		at += length > 0 ? length : 1;
	}
}

/* In JSON these three stand in strings only, where \u00.. means the same. */
static void
html_json_byte(FILE *out, int c)
{
	if (c == '<' || c == '>' || c == '&')
		(void)fprintf(out, "\\u%04x", (unsigned)c);
	else
		(void)fputc(c, out);
}

bool
html_json(FILE *out, const char *path)
{
	FILE *in = fopen(path, "re");
	unsigned char text[5] = { 0 };
	size_t have = 0;
	size_t length;
	int c = 0;
	bool ok;

	if (in == NULL)
		return false;
	do {
		while (have < 4 && (c = fgetc(in)) != EOF)
			text[have++] = (unsigned char)c;
		text[have] = '\0';
		if (have == 0)
			break;
		length = html_utf8(text);
		if (length == 1)
			html_json_byte(out, text[0]);
		else if (length == 0)
			(void)fputs(HTML_REPLACEMENT, out);
		else
			(void)fwrite(text, 1, length, out);
		length = length > 0 ? length : 1;
		have -= length;
		for (size_t i = 0; i < have; i++)
			text[i] = text[i + length];
	} while (true);
	ok = ferror(in) == 0;
	(void)fclose(in);
	return ok;
}
