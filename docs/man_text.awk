# SPDX-License-Identifier: BSD-2-Clause
#
# man_text.awk - the part of man.awk that knows text: how prose, code, lists and
# names look in a manual page, and what a comment of a header says.
#
# It prints to `page_file`, and refers to the pages in pages[name, section].
# Prose is filled and references are set in bold; `code` too.  A line that is
# indented by four blanks more is code and stays as it is.

# ---------------------------------------------------------------- text ---

function escaped(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/'/, "\\(aq", text)
	gsub(/`/, "\\(ga", text)
	gsub(/\^/, "\\(ha", text)
	gsub(/~/, "\\(ti", text)
	return text
}

function bold(text) { return "\\fB" text "\\fR" }

function trimmed(text) {
	sub(/^[ \t\n]+/, "", text)
	sub(/[ \t\n]+$/, "", text)
	return text
}

# What is worth a second look in prose: code, functions, constants, types.
function marked(text,    word, done, page) {
	done = ""
	while (match(text, "`[^`]+`|tr_[a-z0-9_]+\\(\\)|" \
	    "TR_[A-Z0-9_]+\\*?|(struct|enum) tr_[a-z0-9_]+|" \
	    "[^ ]+\\.[a-z0-9_]+\\(\\)")) {
		word = substr(text, RSTART, RLENGTH)
		done = done plain(substr(text, 1, RSTART - 1))
		text = substr(text, RSTART + RLENGTH)
		if (word ~ /^`/)
			done = done bold(escaped(substr(word, 2,
			    length(word) - 2)))
		else if (word ~ /^(struct|enum) /) {
			page = word
			sub(/.* /, "", page)
			sub(/ .*/, " ", word)
			done = done word bold("\\%" page) \
			    ((page, "3type") in pages ? "(3type)" : "")
		} else if (word ~ /^tr_/) {
			sub(/\(\)$/, "", word)
			done = done bold("\\%" word) ((word, "3") in pages ? "(3)" : \
			    "()")
		} else
			done = done bold("\\%" escaped(word))
	}
	return done plain(text)
}

function plain(text) {
	gsub(/\\/, "\\e", text)
	gsub(/'/, "\\(aq", text)
	gsub(/\^/, "\\(ha", text)
	gsub(/~/, "\\(ti", text)
	return text
}

# Print prose in lines of at most 76 characters, a sentence's end at a line's.
function fill(text,    n, i, word, line) {
	n = split(marked(text), word, /[ \t\n]+/)
	line = ""
	for (i = 1; i <= n; i++) {
		if (word[i] == "")
			continue
		if (line != "" && length(line) + length(word[i]) > 75) {
			out(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") word[i]
		if (word[i] ~ /[.?!:]$/ && i < n && word[i + 1] ~ /^[A-Z\\]/ &&
		    word[i] !~ /^(e\.g\.|i\.e\.)$/) {
			out(line)
			line = ""
		}
	}
	if (line != "")
		out(line)
}

function out(line) {
	sub(/[ \t]+$/, "", line)
	if (line ~ /^[.']/)
		line = "\\&" line
	print line >page_file
}

function request(line) { print line >page_file }

function section(title) { request(".SH " title) }

# A sentence of what a tag says.  Names of C keep their small letter.
function sentence(text,    first) {
	text = trimmed(text)
	first = text
	sub(/[^A-Za-z0-9_].*/, "", first)
	if (text ~ /^[a-z]+([ ,;:.]|$)/ && first != "printf" &&
	    !((first) in known))
		text = toupper(substr(text, 1, 1)) substr(text, 2)
	return text (text ~ /[.?!`]$/ ? "" : ".")
}

# ---------------------------------------------------------- paragraphs ---

function end_of_paragraph() {
	if (paragraph != "")
		fill(paragraph)
	paragraph = ""
}

function end_of_code() {
	if (in_code) {
		request(".EE")
		request(".RE")
		in_code = 0
		separate = 1
	}
}

function code_line(line) {
	if (!in_code) {
		end_of_paragraph()
		if (started)
			request(".PP")
		request(".RS 4")
		request(".EX")
		in_code = 1
		code_gap = 0
	}
	for (; code_gap > 0; code_gap--)
		request("")
	gsub(/\t/, "        ", line)
	out(escaped(line))
	separate = started = 1
}

# Print text of several paragraphs, with code and lists.  Headings in capitals
# become sections when `headings` is set.
function paragraphs(text, headings,    n, i, line, listed) {
	n = split(text, lines, "\n")
	paragraph = ""
	in_code = separate = started = listed = 0
	for (i = 1; i <= n; i++) {
		line = lines[i]
		if (line ~ /^[ \t]*$/) {
			if (in_code)
				code_gap++
			else {
				end_of_paragraph()
				separate = 1
			}
			continue
		}
		if (line ~ /^(    |\t)/) {
			sub(/^(    |\t)/, "", line)
			code_line(line)
			listed = 0
			continue
		}
		end_of_code()
		if (headings && line ~ /^[A-Z][A-Z ]+$/) {
			end_of_paragraph()
			section("\"" line "\"")
			separate = started = listed = 0
			continue
		}
		if (line ~ /^- /) {
			end_of_paragraph()
			request(".IP \\(bu 2")
			sub(/^- +/, "", line)
			listed = 1
			separate = 0
		} else if (separate && !(listed && line ~ /^  /)) {
			if (started)
				request(".PP")
			listed = separate = 0
		}
		paragraph = paragraph " " line
		started = 1
	}
	end_of_paragraph()
	end_of_code()
}

# ------------------------------------------------------------ comments ---

# A comment's text, without its frame; \001 and \002 become what they stand for.
function comment_text(text,    n, i, line, all) {
	gsub(/\002/, "\t", text)
	sub(/^[ \t]*\/\*\*?/, "", text)
	sub(/[ \t\001]*\*\/.*$/, "", text)
	n = split(text, line, "\001")
	all = ""
	for (i = 1; i <= n; i++) {
		if (i > 1)
			sub(/^[ \t]*\* ?/, "", line[i])
		else
			sub(/^ /, "", line[i])
		all = all (i > 1 ? "\n" : "") line[i]
	}
	return all
}

# The part of a comment before its first tag.
function description(text,    at) {
	at = match(text, /\n\\[a-z]+ /)
	return trimmed(at > 0 ? substr(text, 1, at - 1) : text)
}

# The text behind a tag, or behind \param NAME; found says whether it is there.
function tag(text, name,    at) {
	text = "\n" text
	at = index(text, "\n\\" name " ")
	found = at > 0
	if (!found)
		return ""
	text = substr(text, at + length(name) + 3)
	at = match(text, /\n\\[a-z]+ /)
	if (at > 0)
		text = substr(text, 1, at - 1)
	gsub(/[ \t\n]+/, " ", text)
	return trimmed(text)
}

# The first sentence, as NAME lists it: short, without capital and full stop,
# and without the call that a macro's may begin with.
function brief(text, name,    at, head) {
	text = trimmed(text)
	if (index(text, name "(") == 1)
		sub(/^[^)]*\)[;,:]? */, "", text)
	sub(/\n\n.*/, "", text)
	gsub(/[ \t\n]+/, " ", text)
	if ((at = match(text, /[.](  ?[A-Z`<]|$)/)) > 0)
		text = substr(text, 1, at - 1)
	head = text
	if ((at = match(head, /[:;] /)) > 0) {
		head = substr(head, 1, at - 1)
		if (split(head, words, " ") > 2)
			text = head
	}
	if (text ~ /^[A-Z][a-z ]/)
		text = tolower(substr(text, 1, 1)) substr(text, 2)
	gsub(/`/, "", text)
	return text
}
