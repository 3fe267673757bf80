# SPDX-License-Identifier: BSD-2-Clause
#
# api.awk - read public headers: for each TR_API declaration one line
#
#     file <tab> line <tab> name <tab> void|value <tab> parameters <tab> doc
#
# parameters: their names, separated by blanks.  doc: the text of the comment
# block right above, with \n for a line end; empty when it does not begin
# with two asterisks.

function flush_declaration(    text, head, name, list, n, i, part, names, kind) {
	text = declaration
	gsub(/TR_PRINTF *\([^)]*\)/, "", text)
	gsub(/TR_API|TR_MUST_CHECK|extern/, "", text)
	gsub(/[ \t]+/, " ", text)
	head = text
	sub(/\(.*/, "", head)
	name = head
	sub(/ *$/, "", name)
	sub(/.*[ *]/, "", name)
	kind = (head ~ /^ *void +[a-z_0-9]+ *$/) ? "void" : "value"

	list = text
	sub(/^[^(]*\(/, "", list)
	sub(/\) *;.*$/, "", list)
	n = split(list, part, ",")
	names = ""
	for (i = 1; i <= n; i++) {
		sub(/ *$/, "", part[i])
		sub(/\[[^]]*\]$/, "", part[i])
		if (part[i] ~ /^ *void$/ || part[i] ~ /^ *[.][.][.]$/)
			continue
		sub(/.*[ *]/, "", part[i])
		names = names (names == "" ? "" : " ") part[i]
	}
	print FILENAME "\t" start "\t" name "\t" kind "\t" names "\t" doc
	doc = ""
	declaration = ""
}

FNR == 1 { doc = ""; declaration = ""; inside = 0 }

declaration != "" {
	declaration = declaration " " $0
	if ($0 ~ /;/)
		flush_declaration()
	next
}

inside {
	comment = comment "\\n" $0
	if ($0 ~ /\*\//) {
		inside = 0
		doc = comment ~ /^\/\*\*/ ? comment : ""
	}
	next
}

/^\/\*/ {
	comment = $0
	if ($0 ~ /\*\//)
		doc = comment ~ /^\/\*\*/ ? comment : ""
	else
		inside = 1
	next
}

/^TR_API/ {
	declaration = $0
	start = FNR
	if ($0 ~ /;/)
		flush_declaration()
	next
}

# Anything else parts a comment from what follows.
{ doc = "" }
