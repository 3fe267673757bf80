# SPDX-License-Identifier: BSD-2-Clause
#
# api.awk - read public headers: for each TR_API declaration one line
#
#     file <tab> line <tab> name <tab> void|value <tab> parameters <tab> doc
#     <tab> kind <tab> group <tab> text
#
# parameters: their names, separated by blanks.  doc: the comment block right
# above; empty when it does not begin with two asterisks.  kind: function.
# group: the title of the header's part, from a line of dashes.  text: the
# declaration as it stands.  A line end within doc and text is \001, a tab \002.
#
# With -v all=1 also: inline functions (kind inline), macros that have a doc
# (macro, their text ends with the name or the parameters), types (struct,
# union, enum, typedef) and the comment a header begins with (essay, its name
# is the header's).  Names that begin with tri_ are nobody's business.
#
# It is read by the checks and by man.awk, and runs in any POSIX awk.

function emit(kind, name, returns, names, text) {
	if ((all && name !~ /^(tri|TRI)_/) || kind == "function")
		print FILENAME "\t" start "\t" name "\t" returns "\t" names \
		    "\t" doc "\t" kind "\t" group "\t" text
	doc = ""
}

# The name in one parameter's declaration.
function parameter_name(part) {
	if (match(part, /\( *\*[^()]*\)/)) { # a pointer to a function
		part = substr(part, RSTART + 1, RLENGTH - 2)
		sub(/^ *\* */, "", part)
		return part
	}
	sub(/[ ]*$/, "", part)
	while (sub(/\[[^]]*\]$/, "", part))
		;
	sub(/.*[ *]/, "", part)
	return part
}

# The names in a list that begins behind its parenthesis.
function parameter_names(list,    i, c, depth, part, names) {
	part = names = ""
	depth = 0
	for (i = 1; i <= length(list); i++) {
		c = substr(list, i, 1)
		if (depth == 0 && (c == "," || c == ")")) {
			gsub(/^ +| +$/, "", part)
			if (part != "void" && part != "" &&
			    (kind == "macro" || part != "..."))
				names = names (names == "" ? "" : " ") \
				    parameter_name(part)
			part = ""
			if (c == ")")
				break
			continue
		}
		depth += (c == "(") - (c == ")")
		part = part c
	}
	return names
}

function flush_function(    text, head, name, returns) {
	text = declaration
	gsub(/TR_PRINTF *\([^)]*\)/, "", text)
	gsub(/TR_API|TR_MUST_CHECK|extern|static|inline/, "", text)
	gsub(/[ \001\002]+/, " ", text)
	head = text
	sub(/\(.*/, "", head)
	name = head
	sub(/ *$/, "", name)
	sub(/.*[ *]/, "", name)
	returns = (head ~ /^ *void +[a-z_0-9]+ *$/) ? "void" : "value"
	sub(/^[^(]*\(/, "", text)
	emit(kind, name, returns, parameter_names(text), declaration)
}

function flush_macro(    text, name, list) {
	text = declaration
	gsub(/\\?[\001\002 ]+/, " ", text)
	sub(/^# *define +/, "", text)
	name = text
	sub(/[^A-Za-z0-9_].*/, "", name)
	list = substr(text, length(name) + 1)
	if (list ~ /^\(/ && list ~ /\)/) {
		sub(/\).*/, ")", list)
		emit(kind, name, "value", parameter_names(substr(list, 2)),
		    name list)
	} else
		emit(kind, name, "value", "", name)
}

function flush_type(    name) {
	name = declaration
	gsub(/[\001\002]/, " ", name)
	if (kind == "typedef") {
		if (name ~ /\)/) # a function
			sub(/\(.*/, "", name)
		sub(/ *;.*/, "", name)
		sub(/.*[ *]/, "", name)
	} else if (name ~ /^typedef/) {
		sub(/.*} */, "", name)
		sub(/ *;.*/, "", name)
	} else {
		sub(/^(struct|union|enum) */, "", name)
		sub(/ *[{].*/, "", name)
	}
	if (name != "")
		emit(kind, name, "value", "", declaration)
	doc = ""
}

# Whether the declaration is complete with the line just added.
function complete() {
	if (kind == "function" || kind == "typedef")
		return $0 ~ /;/
	if (kind == "inline")
		return $0 ~ /[{;]/
	if (kind == "macro")
		return $0 !~ /\\$/
	return $0 ~ /^}.*;/ || (declaration == encoded($0) && $0 ~ /}.*;/)
}

function add_line() {
	if (declaration == "")
		start = FNR
	declaration = declaration (declaration == "" ? "" : "\001") encoded($0)
	if (!complete())
		return
	if (kind == "function" || kind == "inline")
		flush_function()
	else if (kind == "macro")
		flush_macro()
	else
		flush_type()
	declaration = ""
}

function encoded(line) {
	gsub(/\t/, "\002", line)
	return line
}

function end_of_comment() {
	if (comment ~ /^\/\*\*/) {
		doc = comment
		virgin = 0
	} else if (virgin && comment !~ /SPDX/) {
		doc = comment
		name = FILENAME
		sub(/.*\//, "", name)
		start = comment_start
		emit("essay", name, "value", "", "")
		virgin = 0
	} else
		doc = ""
}

FNR == 1 {
	doc = declaration = group = ""
	inside = 0
	virgin = 1
}

inside {
	comment = comment "\001" encoded($0)
	if ($0 ~ /\*\//) {
		inside = 0
		end_of_comment()
	}
	next
}

declaration != "" { add_line(); next }

/^\/\* --+ .* --+ \*\/$/ {
	group = $0
	gsub(/^\/\* -+ *| *-+ \*\/$/, "", group)
	doc = ""
	next
}

/^\/\*/ {
	comment = encoded($0)
	comment_start = FNR
	if ($0 ~ /\*\//)
		end_of_comment()
	else
		inside = 1
	next
}

/^TR_API/ { kind = "function"; add_line(); next }

/^static inline/ || /^TR_INLINE/ { kind = "inline"; add_line(); next }

/^#define TR_[A-Z0-9_]+/ && doc != "" { kind = "macro"; add_line(); next }

/^(typedef +)?(struct|union|enum)( +[a-z0-9_]+)? *[{]/ {
	kind = $0
	sub(/^typedef +/, "", kind)
	sub(/[ {].*/, "", kind)
	add_line()
	next
}

/^typedef/ { kind = "typedef"; add_line(); next }

# Anything else parts a comment from what follows.
{ doc = ""; if ($0 ~ /^[^#]/) virgin = 0 }
