# SPDX-License-Identifier: BSD-2-Clause
#
# man.awk - write manual pages from what api.awk -v all=1 has read.  It is run
# together with man_text.awk.
#
# For each function, inline function and documented macro NAME.3, for each type
# NAME.3type, and for the comment a header begins with NAME.7.  Variables: dir,
# where to; version, of the library; date, for the footer.
#
# The text is the headers'.  What is added: the tags' one-word values as
# sentences, references to the other pages, and lists of what belongs together.

# ---------------------------------------------------------------- pages ---

function open_page(name, section_of, text) {
	page_file = dir "/" name "." section_of
	request(".\\\" Made from the header; do not edit.")
	request(".TH " name " " section_of " \"" date "\" \"Troupe " version \
	    "\" \"Troupe manual\"")
	request(".ad l")
	section("NAME")
	out(name " \\- " plain(text))
}

function close_page() { close(page_file) }

function synopsis(i,    path) {
	section("LIBRARY")
	out("Troupe (libtroupe, \\-ltroupe)")
	section("SYNOPSIS")
	request(".nf")
	path = file[i]
	sub(/^.*include\//, "", path)
	out(bold("#include <" path ">"))
	request(".PP")
}

# A prototype on lines of at most 72, its parameters in italics.
function prototype(text,    n, i, head, part, list, line) {
	gsub(/[\001\002]/, " ", text)
	gsub(/TR_API|TR_MUST_CHECK|TR_PRINTF *\([^)]*\)/, "", text)
	gsub(/static inline|TR_INLINE/, "", text)
	sub(/ *[{;].*/, "", text)
	gsub(/ +/, " ", text)
	text = trimmed(text)
	list = text
	sub(/^[^(]*\(/, "", list)
	head = substr(text, 1, length(text) - length(list))
	n = split(list, part, /, */)
	line = head
	for (i = 1; i <= n; i++) {
		part[i] = part[i] (i < n ? "," : kind_now == "macro" ? "" : ";")
		if (length(line) + length(part[i]) > 70 && line != head) {
			proto_line(line)
			line = "    "
		} else if (i > 1)
			line = line " "
		line = line part[i]
	}
	proto_line(line)
}

# `known` has the names of the parameters of the page's function.
function know(names,    n, name, i) {
	for (i in known)
		delete known[i]
	n = split(names, name, " ")
	for (i = 1; i <= n; i++)
		known[name[i]] = 1
}

function proto_line(line,    done, word, before, indent) {
	indent = line ~ /^    /
	sub(/^ +/, "", line)
	done = ""
	while (match(line, /[A-Za-z_][A-Za-z0-9_]*/)) {
		word = substr(line, RSTART, RLENGTH)
		before = substr(line, 1, RSTART - 1)
		line = substr(line, RSTART + RLENGTH)
		done = done escaped(before)
		if (word in known && line ~ /^[],)\[]/)
			done = done "\\fI" word "\\fB"
		else
			done = done word
	}
	out((indent ? "    " : "") bold(done escaped(line)))
}

function expanded(text, word, full) {
	if (text == word || text ~ ("^" word "[ ,.;]"))
		return full substr(text, length(word) + 1)
	return text
}

function tagged_sections(i, text,    value, n, name, k) {
	n = split(names[i], name, " ")
	k = 0
	while (++k <= n) {
		value = tag(text, "param " name[k])
		if (!found)
			continue
		if (!seen_param++)
			section("PARAMETERS")
		request(".TP")
		out("\\fI" escaped(name[k]) "\\fR")
		fill(sentence(value))
	}
	seen_param = 0
	value = tag(text, "returns")
	if (found) {
		section("\"RETURN VALUE\"")
		fill(sentence(value))
		if (decl[i] ~ /TR_MUST_CHECK/)
			fill("The compiler warns when it is not looked at.")
	}
	value = tag(text, "owner")
	if (found) {
		section("OWNERSHIP")
		fill(sentence(expanded(value, "none",
		    "Nothing that is passed changes its owner")))
	}
	value = tag(text, "threads")
	if (found) {
		section("THREADS")
		value = expanded(value, "any", "Any thread may call it")
		value = expanded(value, "self",
		    "Only an actor may call it, in its own turn")
		value = expanded(value, "setup",
		    "Any thread may call it, before tr_system_run()")
		value = expanded(value, "signal",
		    "Any thread and signal handlers may call it")
		fill(sentence(value))
	}
	value = tag(text, "blocks")
	if (found) {
		section("BLOCKING")
		value = expanded(value, "never", "It never blocks")
		value = expanded(value, "up to", "It blocks up to")
		value = expanded(value, "until", "It blocks until")
		fill(sentence(value))
	}
}

# What else the header's part has; the types a declaration names come first.
function see_also(i,    k, list, text) {
	section("\"SEE ALSO\"")
	list = ""
	text = decl[i]
	gsub(/[\001\002]/, " ", text)
	for (k = 1; k <= count; k++)
		if (k != i && is_type(k) &&
		    (" " text) ~ ("[^a-z0-9_]" title[k] "[^a-z0-9_]"))
			list = list reference(k)
	for (k = 1; k <= count; k++)
		if (k != i && chapter[k] != "7" && file[k] == file[i] &&
		    group[k] == group[i] && index(list, reference(k)) == 0)
			list = list reference(k)
	for (k = 1; k <= count; k++)
		if (kind[k] == "essay" && file[k] == file[i])
			list = list reference(k)
	if (index(list, bold("\\%troupe") "(7)") == 0 && ("troupe", "7") in pages)
		list = list bold("\\%troupe") "(7)\n"
	reference_list(list)
}

function reference(k) {
	return bold("\\%" escaped(title[k])) "(" chapter[k] ")\n"
}

function reference_list(list,    n, line, k) {
	n = split(list, line, "\n") - 1
	for (k = 1; k <= n; k++)
		out(line[k] (k < n ? "," : ""))
}

function is_type(k) { return chapter[k] == "3type" }

function function_page(i,    text) {
	text = comment_text(doc[i])
	kind_now = kind[i]
	know(names[i])
	open_page(title[i], 3, summary[i])
	synopsis(i)
	if (kind[i] == "macro" && decl[i] !~ /\(/)
		out(bold(escaped(decl[i])))
	else
		prototype(decl[i])
	request(".fi")
	section("DESCRIPTION")
	paragraphs(description(text), 0)
	tagged_sections(i, text)
	see_also(i)
	close_page()
}

# ---------------------------------------------------------------- types ---

# A declaration without its comments, as lines.
function bare(text,    at, end, rest) {
	rest = ""
	while ((at = index(text, "/*")) > 0) {
		rest = rest substr(text, 1, at - 1)
		text = substr(text, at)
		end = index(text, "*/")
		text = substr(text, end + 2)
	}
	text = rest text
	gsub(/[ \002]+\001/, "\001", text)
	while (sub(/\001\001/, "\001", text))
		;
	gsub(/\002/, "    ", text)
	return text
}

function fields_of_type(text,    n, line, i) {
	sub(/^[^{]*[{]/, "", text)
	sub(/}[^}]*$/, "", text)
	gsub(/\002/, " ", text)
	gsub(/\001/, "\n", text)
	fields(text, 1)
}

# The position behind the brace that closes the one at `at`.
function closing(text, at,    depth) {
	depth = 0
	for (; at <= length(text); at++) {
		if (substr(text, at, 1) == "{")
			depth++
		if (substr(text, at, 1) == "}" && --depth == 0)
			return at + 1
	}
	return at
}

# Where the field that text begins with ends: behind its ; or , or at the end.
function field_end(text,    at, depth, c) {
	depth = 0
	for (at = 1; at <= length(text); at++) {
		c = substr(text, at, 1)
		if (c == "/" && substr(text, at, 2) == "/*")
			return at - 1
		if (c == "(" || c == "{")
			depth++
		if (c == ")" || c == "}")
			depth--
		if (depth == 0 && (c == ";" || (is_enum && c == ",")))
			return at
	}
	return at
}

# One item per field: its declaration, then what its comment says.  A comment
# on the field's own line belongs to it, one on a line before as well.
function fields(text, level,    before, item, inner, at, note) {
	before = ""
	for (;;) {
		text = trimmed(text)
		if (text == "")
			return
		if (text ~ /^\/\*/) {
			at = index(text, "*/") + 2
			before = note_text(substr(text, 1, at - 1))
			text = substr(text, at)
			continue
		}
		if (text ~ /^#/) { # a condition is no field
			sub(/^[^\n]*/, "", text)
			continue
		}
		inner = ""
		if (text ~ /^(struct|union)[ a-z0-9_]*[{]/) {
			at = closing(text, 1)
			inner = substr(text, 1, at - 2)
			sub(/^[^{]*[{]/, "", inner)
			item = substr(text, 1, index(text, " ")) "..."
			text = substr(text, at)
			at = field_end(text)
			item = item substr(text, 1, at)
		} else {
			at = field_end(text)
			item = substr(text, 1, at)
		}
		text = substr(text, at + 1)
		note = ""
		if (text ~ /^[ \t]*\/\*/) {
			at = index(text, "*/") + 2
			note = note_text(substr(text, 1, at - 1))
			text = substr(text, at)
		}
		# An enumerator's comma may stand behind its comment.
		sub(/^[ \t\n]*,/, "", text)
		print_field(item, trimmed(before " " note), inner, level)
		before = ""
	}
}

function note_text(text) {
	sub(/^[ \t\n]*\/\*+/, "", text)
	sub(/\*\/$/, "", text)
	gsub(/\n[ \t]*\*/, "\n", text)
	gsub(/[ \t\n]+/, " ", text)
	return trimmed(text)
}

function print_field(item, note, inner, level) {
	gsub(/[ \t\n]+/, " ", item)
	sub(/[;,] *$/, "", item)
	request(".TP")
	out(bold(escaped(trimmed(item))))
	if (note != "")
		fill(sentence(note))
	else if (inner == "")
		out("\\&")
	if (inner != "") {
		request(".RS")
		fields(inner, level + 1)
		request(".RE")
	}
}

function type_page(i,    text, n, line, k) {
	text = comment_text(doc[i])
	know("")
	open_page(title[i], "3type", summary[i])
	synopsis(i)
	n = split(bare(decl[i]), line, "\001")
	for (k = 1; k <= n; k++)
		out(bold(escaped(line[k])))
	request(".fi")
	section("DESCRIPTION")
	paragraphs(description(text), 0)
	if (kind[i] != "typedef") {
		is_enum = kind[i] == "enum"
		section(is_enum ? "VALUES" : "FIELDS")
		fields_of_type(decl[i])
	}
	see_also(i)
	close_page()
}

# --------------------------------------------------------------- essays ---

function essay_page(i,    text, k, last) {
	text = comment_text(doc[i])
	sub(/^\n*[^\n]*\n/, "", text) # the line that NAME has
	open_page(title[i], 7, summary[i])
	# An essay that begins with a heading has its sections itself.
	if (trimmed(text) !~ /^[A-Z][A-Z ]+\n/)
		section("DESCRIPTION")
	paragraphs(trimmed(text), 1)
	section("\"FUNCTIONS AND TYPES\"")
	last = "\001"
	for (k = 1; k <= count; k++) {
		if (file[k] != file[i] || chapter[k] == "7")
			continue
		if (group[k] != last && group[k] != "")
			request(".SS " toupper(substr(group[k], 1, 1)) \
			    substr(group[k], 2))
		last = group[k]
		request(".TP")
		out(bold(escaped(title[k])) "(" chapter[k] ")")
		fill(summary[k])
	}
	last = ""
	for (k = 1; k <= count; k++)
		if (kind[k] == "essay" && k != i)
			last = last reference(k)
	if (last != "") {
		section("\"SEE ALSO\"")
		reference_list(last)
	}
	close_page()
}

# The page of a header's essay: troupe.h is troupe(7), troupe/x.h troupe_x(7).
function essay_name(path) {
	sub(/^.*include\//, "", path)
	sub(/\.h$/, "", path)
	gsub(/\//, "_", path)
	return path
}

function essay_summary(text) {
	text = trimmed(comment_text(text))
	sub(/\n.*/, "", text)
	sub(/^[A-Za-z0-9_\/]+\.h (-|--) /, "", text)
	return brief(text, "\001")
}

# ----------------------------------------------------------------- main ---

BEGIN { FS = "\t" }

{
	count++
	file[count] = $1
	title[count] = $3
	names[count] = $5
	doc[count] = $6
	kind[count] = $7
	group[count] = $8
	decl[count] = $9
	if ($7 == "essay") {
		title[count] = essay_name($1)
		chapter[count] = "7"
		summary[count] = essay_summary($6)
	} else {
		chapter[count] = $7 ~ /^(function|inline|macro)$/ ? "3" : \
		    "3type"
		summary[count] = brief(comment_text($6), $3)
	}
	# A type of C that C++ spells otherwise is one page: the first.
	if ((title[count], chapter[count]) in pages)
		count--
	else {
		pages[title[count], chapter[count]] = count
		named[$1] += $7 != "essay"
	}
}

END {
	# The essay of a header that gives nothing is for its readers only.
	for (page = 1; page <= count; page++)
		if (kind[page] == "essay" && !named[file[page]]) {
			kind[page] = "none"
			delete pages[title[page], chapter[page]]
		}
	for (page = 1; page <= count; page++) {
		if (kind[page] == "none")
			continue
		if (kind[page] == "essay")
			essay_page(page)
		else if (is_type(page))
			type_page(page)
		else
			function_page(page)
	}
}
