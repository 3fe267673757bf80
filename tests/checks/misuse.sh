#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# misuse.sh - programs with typed messages that must not compile, with each
# compiler that is there.  Every one has a twin that differs in the mistake
# only and compiles without a warning under the strictest flags, so that
# nothing is refused for a wrong reason; and what the compiler says has to name
# what was mixed up.  Those that docs/protocols.md shows have to be there, with
# a message that names the same.

source "$(dirname "$0")/lib.sh" "$@"

strict=(-std=c17 -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow
	-Wstrict-prototypes -Werror)

prelude() {
	cat <<'END'
#include <troupe.h>
#define BANK(MSG, P)                                            \
	MSG(P, deposit, { int64_t cents; })                     \
	MSG(P, transfer, { bank_ref to; int64_t cents, fee; })  \
	MSG(P, close, TR_EMPTY)                                 \
	MSG(P, balance, { int64_t cents; })
TR_PROTOCOL(bank, BANK);
#define ATM(MSG, P) MSG(P, card, { uint32_t number; })
TR_PROTOCOL(atm, ATM);
struct account { int64_t cents; };
int on_deposit(struct tr_self *, struct account *, const struct bank_deposit *);
int on_close(struct tr_self *, struct account *);
int on_card(struct tr_self *, struct account *, const struct atm_card *);
int on_till(struct tr_self *, int *, const struct bank_deposit *);
int on_answer(struct tr_self *, void *, int, const struct tr_msg *, uintptr_t);
void drop(void *, size_t);
#define DISK(MSG, P) MSG(P, upload, { void *p; })
END
}

# Code of one's own, at the top level or (`in`) in a function.
program() { # program top|in CODE
	prelude
	if [[ $1 == top ]]; then
		printf '%s\n' "$2"
	else
		cat <<END
int use(struct tr_self *, bank_ref, atm_ref, const struct tr_msg *);
int
use(struct tr_self *self, bank_ref b, atm_ref a, const struct tr_msg *msg)
{
	(void)self, (void)b, (void)a, (void)msg;
	$2
	return 0;
}
END
	fi
}

# An actor that uses its receive function, with these handlers.
actor() {
	echo "TR_ACTOR(account, struct account, bank, BANK, $1);" \
	    "extern const struct tr_behavior account;" \
	    "const struct tr_behavior account =" \
	    "{ .receive = account_receive, .protocol = &bank_protocol };"
}

compilers() {
	local compiler
	for compiler in gcc clang; do
		if command -v "$compiler" >/dev/null; then
			echo "$compiler"
		fi
	done
}

compile() { # compile COMPILER WHERE CODE FLAG...
	local compiler=$1 where=$2 code=$3
	shift 3
	program "$where" "$code" |
	    "$compiler" -x c "$@" -I "$include" -c -o /dev/null - 2>&1
}

# case_of hard|warned WHERE GOOD BAD WORD...: GOOD compiles; BAD does not (hard:
# under no flags at all), and what the compiler says has all the words.
case_of() {
	local kind=$1 where=$2 good=$3 bad=$4 compiler said word
	local flags=("${strict[@]}")
	shift 4
	if [[ $kind == hard ]]; then flags=(-std=c17); fi
	for compiler in $(compilers); do
		if ! said=$(compile "$compiler" "$where" "$good" \
		    "${strict[@]}"); then
			echo "$compiler: does not compile: $good:" \
			    "$(grep -m 1 -E 'error|warning' <<<"$said")"
		fi
		if said=$(compile "$compiler" "$where" "$bad" \
		    "${flags[@]}"); then
			echo "$compiler: compiles: $bad"
			continue
		fi
		for word in "$@"; do
			if ! grep -qE -- "$word" <<<"$said"; then
				echo "$compiler: does not say '$word' of:" \
				    "$bad: $(grep -m 1 error <<<"$said")"
			fi
		done
	done
}

# shown BAD WORD...: the page has this code and a line with all these words.
shown() {
	local bad=$1 page=$docs/protocols.md found
	shift
	if ! grep -qF -- "$bad" "$page"; then
		echo "docs/protocols.md: does not show: $bad"
	fi
	found=$(grep -E 'error:|warning:' "$page" || true)
	for word in "$@"; do
		found=$(grep -E -- "$word" <<<"$found" || true)
	done
	if [[ -z $found ]]; then
		echo "docs/protocols.md: no message that says: $*"
	fi
}

check() {
	include=$1/include docs=$1/docs
	local deposit='(struct bank_deposit){ .cents = 5 }'

	# A message to an actor of another protocol.
	case_of hard in "return bank_send_deposit(self, b, $deposit);" \
	    "return bank_send_deposit(self, a, $deposit);" bank_ref atm_ref
	shown "bank_send_deposit(self, a, $deposit);" bank_ref atm_ref
	case_of hard in "b = bank_of(a.ref);" "b = a;" bank_ref atm_ref
	# To one of which nothing is known.
	case_of hard in \
	    "return bank_send_deposit(self, bank_of(tr_sender(msg)), $deposit);" \
	    "return bank_send_deposit(self, tr_sender(msg), $deposit);" \
	    bank_ref tr_ref

	# No value, one too many, another message's.
	case_of hard in "return bank_send_deposit(self, b, $deposit);" \
	    "return bank_send_deposit(self, b);" 'too few arguments' \
	    bank_send_deposit
	case_of hard in "return bank_send_close(self, b);" \
	    "return bank_send_close(self, b, 5);" 'too many arguments' \
	    bank_send_close
	case_of hard in "return bank_send_deposit(self, b, $deposit);" \
	    "return bank_send_deposit(self, b, (struct atm_card){ .number = 5 });" \
	    bank_deposit atm_card
	shown "bank_send_deposit(self, b, (struct atm_card){ .number = 5 });" \
	    bank_deposit atm_card
	case_of hard in "return bank_reply_deposit(self, $deposit);" \
	    "return bank_reply_close(self, $deposit);" 'too many arguments'
	# A message that the protocol does not have.
	case_of warned in "return bank_send_close(self, b);" \
	    "return bank_send_card(self, b);" bank_send_card
	# An answer taken for something else.
	case_of warned in \
	    "const struct bank_balance *m = bank_get_balance(msg); (void)m;" \
	    "const struct bank_balance *m = atm_get_card(msg); (void)m;" \
	    incompatible

	# What only the caller can mend, ignored.
	case_of warned in \
	    "if (bank_try_send_deposit(self, b, $deposit) != TR_OK) return 1;" \
	    "bank_try_send_deposit(self, b, $deposit);" \
	    bank_try_send_deposit warn.unused.result
	shown "bank_try_send_deposit(self, b, $deposit);" \
	    bank_try_send_deposit unused
	case_of warned in \
	    "if (bank_ask_close(self, b, 0, on_answer, 0) == 0) return 1;" \
	    "bank_ask_close(self, b, 0, on_answer, 0);" warn.unused.result

	# Handlers: of another message, for a message that there is not, of
	# another actor's state.
	case_of warned top "$(actor '.close = on_close')" \
	    "$(actor '.deposit = on_close')" incompatible bank_deposit
	case_of warned top "$(actor '.deposit = on_deposit')" \
	    "$(actor '.deposit = on_card')" incompatible bank_deposit atm_card
	shown ".deposit = on_card" bank_deposit atm_card
	case_of hard top "$(actor '.deposit = on_deposit')" \
	    "$(actor '.deposit = on_deposit, .card = on_card')" \
	    "[\`'‘]?card" account_handlers
	shown ".card = on_card" account_handlers
	case_of warned top "$(actor '.deposit = on_deposit')" \
	    "$(actor '.deposit = on_till')" incompatible 'int \*'
	# Traits of a message that there is not.
	case_of hard top 'TR_PROTOCOL(disk, DISK, .upload = { .drop = drop });' \
	    'TR_PROTOCOL(disk, DISK, .uplaod = { .drop = drop });' uplaod \
	    disk_traits
}

# ----------------------------------------------------------- self-test ---

include=$source_dir/include docs=$scratch
plant protocols.md <<'END'
    bank_send_close(self, a);
    error: a bank_ref and an atm_ref
    error: a bank_ref
END
must_find 'compiles: return bank_send_close(self, b);' case_of hard in \
    'return 0;' 'return bank_send_close(self, b);'
must_find "does not say 'nonsense'" case_of hard in 'return 0;' \
    'return bank_send_close(self, a);' bank_ref nonsense
must_find 'does not compile: return nothing;' case_of hard in \
    'return nothing;' 'return nothing;' nothing
must_find 'does not compile: int unused;' case_of hard in \
    'int unused;' 'return nothing;' nothing
must_pass case_of hard in 'return 0;' 'return bank_send_close(self, a);' \
    bank_ref atm_ref
must_pass shown 'bank_send_close(self, a);' bank_ref atm_ref
must_find 'does not show: b = a;' shown 'b = a;' bank_ref
must_find 'no message that says: atm_ref tr_ref' \
    shown 'bank_send_close(self, a);' atm_ref tr_ref

verdict check "$source_dir"
