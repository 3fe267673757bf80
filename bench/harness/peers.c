/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.c - the same benchmarks in other runtimes.
 *
 * The programs are copied to the build directory when that is configured, and
 * are built and run there, so that nothing is left in the source tree.  A peer
 * whose tools are not installed is left out.
 */
#include "peers.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PEERS_LOG "build.log"

enum {
	PEER_LIMITS = 2,
	ARGS_MAX = 12,
	ARG_BYTES = 160,
	PATH_BYTES = 4096,
	BUILD_TIMEOUT_S = 300,
	VERSION_TIMEOUT_S = 30,
};

struct peer_case {
	const char *bench; /* suite/name */
	const char *name; /* what its program calls it */
	uint64_t most[PEER_LIMITS]; /* of the first parameters; 0: as ours */
};

struct peer {
	const char *runtime;
	const struct peer_case *cases; /* what it has; ends with NULL */
	const struct peer_case *less; /* where it does less; NULL: nowhere */
	const char *needs[3]; /* commands */
	const char *package; /* where they are found */
	const char *dir; /* where it is built and run */
	const char *sources; /* where they are in dir, */
	const char *suffix; /* and how their names end */
	const char *product; /* in dir, as is all that it leaves */
	const char *build[ARGS_MAX]; /* none: there is nothing to build */
	const char *version[ARGS_MAX]; /* prints it */
	/* {name}, {size} and {workers} are replaced; the size is the value of
	 * the parameter, or are all of them, with commas between. */
	const char *run[ARGS_MAX];
};

struct peer_args {
	const char *argv[ARGS_MAX + 1];
	char text[ARGS_MAX][ARG_BYTES];
};

/* Compiled ones do what ours do. */
static const struct peer_case peers_all[] = {
	{ "micro/pingpong", "pingpong", { 0 } },
	{ "micro/count", "count", { 0 } },
	{ "micro/nto1", "nto1", { 0 } },
	{ "micro/ring", "ring", { 0 } },
	{ "micro/fjthrput", "fjthrput", { 0 } },
	{ "micro/fjcreate", "fjcreate", { 0 } },
	{ "micro/big", "big", { 0 } },
	{ "micro/fib", "fib", { 0 } },
	{ "savina/banking", "banking", { 0 } },
	{ "savina/bndbuffer", "bndbuffer", { 0 } },
	{ "savina/chameneos", "chameneos", { 0 } },
	{ "savina/nqueenk", "nqueenk", { 0 } },
	{ "savina/radixsort", "radixsort", { 0 } },
	{ "kin/skynet", "skynet", { 0 } },
	{ NULL, NULL, { 0 } },
};

/* The limits are above the original's parameters, and there so that a run takes
 * seconds and fits into memory.  That of banking keeps the length of an
 * account's queue. */
static const struct peer_case peers_erlang[] = {
	{ "savina/banking", "banking", { 400000, 4000 } },
	{ "savina/bndbuffer", "bndbuffer", { 1000 } },
	{ "savina/chameneos", "chameneos", { 2000000 } },
	{ "savina/radixsort", "radixsort", { 300000 } },
	{ "kin/skynet", "skynet", { 1000000 } },
	{ NULL, NULL, { 0 } },
};

/* Likewise.  With several workers what its fjcreate takes grows with the square of
 * the actors that wait at a time: 80,000 take 19 s. */
static const struct peer_case peers_caf[] = {
	{ "micro/fjcreate", "fjcreate", { 20000 } },
	{ "savina/banking", "banking", { 400000, 4000 } },
	{ "savina/chameneos", "chameneos", { 2000000 } },
	{ "savina/radixsort", "radixsort", { 300000 } },
	{ "kin/skynet", "skynet", { 1000000 } },
	{ NULL, NULL, { 0 } },
};

/* It interprets, in one thread, and is slower by one or two orders. */
static const struct peer_case peers_asyncio[] = {
	{ "micro/pingpong", "pingpong", { 100000 } },
	{ "micro/fib", "fib", { 20 } },
	{ "savina/banking", "banking", { 50000, 500 } },
	{ "savina/bndbuffer", "bndbuffer", { 25 } },
	{ "savina/chameneos", "chameneos", { 50000 } },
	{ "savina/radixsort", "radixsort", { 20000 } },
	{ "kin/skynet", "skynet", { 100000 } },
	{ NULL, NULL, { 0 } },
};

static const struct peer peers[PEERS] = {
	{ .runtime = "go",
	    .cases = peers_all,
	    .needs = { "go" },
	    .package = "golang-go",
	    .dir = BENCH_PEERS_DIR "/go",
	    .sources = ".",
	    .suffix = ".go",
	    .product = "go_bench",
	    .build = { "env", "GOCACHE=" BENCH_PEERS_DIR "/go/cache",
		"GOPATH=" BENCH_PEERS_DIR "/go/path", "GO111MODULE=off", "go",
		"build", "-o", "go_bench", "." },
	    .version = { "go", "version" },
	    .run = { "env", "GOMAXPROCS={workers}", "./go_bench", "{name}",
		"{size}" } },
	{ .runtime = "erlang",
	    .cases = peers_all,
	    .less = peers_erlang,
	    .needs = { "erl", "erlc" },
	    .package = "erlang-base",
	    .dir = BENCH_PEERS_DIR "/erlang",
	    .sources = ".",
	    .suffix = ".erl",
	    .product = "built",
	    .build = { "sh", "-c", "erlc *.erl && touch built" },
	    .version = { "erl", "-noshell", "-eval",
		"io:format(\"Erlang/OTP ~s, erts ~s\", "
		"[erlang:system_info(I) || I <- [otp_release, version]]), "
		"halt()." },
	    .run = { "env", "ERL_CRASH_DUMP=/dev/null", "erl", "+S",
		"{workers}:{workers}", "+P", "5000000", "-noshell", "-eval",
		"eb:main([\"{name}\",\"{size}\"])" } },
	{ .runtime = "tokio",
	    .cases = peers_all,
	    .needs = { "cargo" },
	    .package = "cargo, librust-tokio-dev",
	    .dir = BENCH_PEERS_DIR "/tokio",
	    .sources = "src",
	    .suffix = ".rs",
	    .product = "target/release/tk",
	    .build = { "env", "CARGO_HOME=" BENCH_PEERS_DIR "/tokio/home",
		"CARGO_TARGET_DIR=" BENCH_PEERS_DIR "/tokio/target", "cargo",
		"build", "--release", "--offline" },
	    .version = { "sh", "-c",
		"sed -n '/^name = \"tokio\"/{n;s/version = /tokio /p}' "
		"Cargo.lock | tr -d '\"'; rustc --version" },
	    .run = { "target/release/tk", "{name}", "{size}", "{workers}" } },
	{ .runtime = "caf",
	    .cases = peers_all,
	    .less = peers_caf,
	    .needs = { "c++" },
	    .package = "g++, libcaf-dev",
	    .dir = BENCH_PEERS_DIR "/caf",
	    .sources = ".",
	    .suffix = "pp", /* .cpp and .hpp */
	    .product = "caf_bench",
	    .build = { "sh", "-c",
		"c++ -std=c++17 -O3 -march=native -o caf_bench *.cpp -lcaf_core -pthread" },
	    .version = { "./caf_bench", "version" },
	    .run = { "./caf_bench", "{name}", "{size}", "{workers}" } },
	{ .runtime = "asyncio",
	    .cases = peers_asyncio,
	    .less = peers_asyncio,
	    .needs = { "python3" },
	    .package = "python3",
	    .dir = BENCH_PEERS_DIR "/asyncio",
	    .version = { "python3", "--version" },
	    .run = { "python3", "-B", "bench.py", "{name}", "{size}" } },
};

static bool
peer_is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec ||
	    (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* When the last of its sources was changed; false: there are none. */
static bool
peer_changed(const struct peer *peer, struct timespec *changed)
{
	char path[PATH_BYTES];
	const struct dirent *entry;
	size_t ending = strlen(peer->suffix);
	size_t length;
	struct stat source;
	bool any = false;
	DIR *dir;

	*changed = (struct timespec){ 0 };
	(void)snprintf(path, sizeof(path), "%s/%s", peer->dir, peer->sources);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		length = strlen(entry->d_name);
		if (length < ending ||
		    strcmp(entry->d_name + length - ending, peer->suffix) != 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &source, 0) != 0)
			continue;
		if (peer_is_older(changed, &source.st_mtim))
			*changed = source.st_mtim;
		any = true;
	}
	(void)closedir(dir);
	return any;
}

/* Whether the product is there and not older than its sources. */
static bool
peer_is_built(const struct peer *peer)
{
	char path[PATH_BYTES];
	struct timespec changed;
	struct stat product;

	if (peer->build[0] == NULL)
		return true;
	(void)snprintf(path, sizeof(path), "%s/%s", peer->dir, peer->product);
	return stat(path, &product) == 0 && peer_changed(peer, &changed) &&
	    !peer_is_older(&product.st_mtim, &changed);
}

/* One argument, with what stands in braces replaced. */
static void
peer_expand(char text[ARG_BYTES], const char *form, const char *const values[3])
{
	static const char *const names[3] = { "{name}", "{size}", "{workers}" };
	size_t used = 0;
	size_t length;
	int which;

	while (*form != '\0' && used + 1 < ARG_BYTES) {
		for (which = 0; which < 3; which++) {
			length = strlen(names[which]);
			if (strncmp(form, names[which], length) == 0)
				break;
		}
		if (which == 3) {
			text[used++] = *form++;
			continue;
		}
		(void)snprintf(text + used, ARG_BYTES - used, "%s",
		    values[which]);
		used += strlen(text + used);
		form += length;
	}
	text[used] = '\0';
}

void
peer_version(const struct peer *peer, char *text, size_t size)
{
	const char *argv[ARGS_MAX + 1] = { NULL };
	struct proc proc = {
		.argv = argv,
		.dir = peer->dir,
		.timeout_s = VERSION_TIMEOUT_S,
	};
	struct proc_result result;
	char *line, *rest;
	size_t length;

	memcpy(argv, peer->version, sizeof(peer->version));
	if (proc_run(&proc, &result) != PROC_OK)
		result.out[0] = '\0';
	text[0] = '\0';
	for (line = strtok_r(result.out, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		length = strlen(text);
		(void)snprintf(text + length, size - length, "%s%s",
		    length > 0 ? ", " : "", line);
	}
}

/* A benchmark in a list; NULL: it is not there, or there is no list. */
static const struct peer_case *
peer_find(const struct peer_case *list, const struct bench_case *c)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s/%s", c->suite, c->name);
	for (; list != NULL && list->bench != NULL; list++) {
		if (strcmp(list->bench, name) == 0)
			return list;
	}
	return NULL;
}

/* What it has for a benchmark; NULL: nothing. */
static const struct peer_case *
peer_case_of(const struct peer *peer, const struct bench_case *c)
{
	return peer_find(peer->cases, c);
}

static void
peer_sizes(const struct bench_case *c, const uint64_t value_of[BENCH_PARAMS],
    char text[ARG_BYTES])
{
	size_t used = 0;
	int length;

	text[0] = '\0';
	for (int i = 0; i < BENCH_PARAMS && c->params[i].name != NULL; i++) {
		length = snprintf(text + used, ARG_BYTES - used, "%s%" PRIu64,
		    i > 0 ? "," : "", value_of[i]);
		if (length < 0 || (size_t)length >= ARG_BYTES - used)
			return;
		used += (size_t)length;
	}
}

static void
peer_args(const struct peer *peer, const struct bench_case *c,
    const uint64_t value_of[BENCH_PARAMS], unsigned workers,
    struct peer_args *args)
{
	char sizes[ARG_BYTES];
	char workers_text[12];
	const char *const values[3] = { peer_case_of(peer, c)->name, sizes,
		workers_text };

	peer_sizes(c, value_of, sizes);
	(void)snprintf(workers_text, sizeof(workers_text), "%u", workers);
	memset(args, 0, sizeof(*args));
	for (int i = 0; i < ARGS_MAX && peer->run[i] != NULL; i++) {
		peer_expand(args->text[i], peer->run[i], values);
		args->argv[i] = args->text[i];
	}
}

const struct peer *
peer_at(int nth)
{
	return &peers[nth];
}

const char *
peer_runtime(const struct peer *peer)
{
	return peer->runtime;
}

bool
peer_has(const struct peer *peer, const struct bench_case *c)
{
	return peer_case_of(peer, c) != NULL;
}

bool
peer_limit(const struct peer *peer, const struct bench_case *c,
    uint64_t value_of[BENCH_PARAMS])
{
	const struct peer_case *has = peer_find(peer->less, c);
	bool less = false;

	for (int i = 0; has != NULL && i < PEER_LIMITS; i++) {
		if (has->most[i] != 0 && value_of[i] > has->most[i]) {
			value_of[i] = has->most[i];
			less = true;
		}
	}
	return less;
}

static enum proc_end
peer_build(const struct peer *peer)
{
	const char *argv[ARGS_MAX + 1] = { NULL };
	struct proc proc = {
		.argv = argv,
		.dir = peer->dir,
		.log = PEERS_LOG,
		.timeout_s = BUILD_TIMEOUT_S,
	};
	struct proc_result result;
	enum proc_end end;

	for (int i = 0; i < 3 && peer->needs[i] != NULL; i++) {
		if (proc_exists(peer->needs[i]))
			continue;
		(void)fprintf(stderr, "bench: %s is left out: no %s (%s)\n",
		    peer->runtime, peer->needs[i], peer->package);
		return PROC_FAILED;
	}
	if (peer_is_built(peer))
		return PROC_OK;
	memcpy(argv, peer->build, sizeof(peer->build));
	end = proc_run(&proc, &result);
	if (end != PROC_OK)
		(void)fprintf(stderr,
		    "bench: %s is left out: %s, see %s/" PEERS_LOG " (%s)\n",
		    peer->runtime, result.error, peer->dir, peer->package);
	return end;
}

bool
peers_build(bool wanted, bool usable[PEERS])
{
	enum proc_end end;

	for (int i = 0; i < PEERS; i++) {
		usable[i] = false;
		if (!wanted)
			continue;
		end = peer_build(&peers[i]);
		if (end == PROC_INTERRUPTED)
			return false;
		usable[i] = end == PROC_OK;
	}
	return true;
}

enum proc_end
peer_run(const struct peer *peer, const struct bench_case *c,
    const uint64_t value_of[BENCH_PARAMS], unsigned workers, int timeout_s,
    struct proc_result *result, double *ns_per_op, double *ops)
{
	struct proc proc = { .dir = peer->dir, .timeout_s = timeout_s };
	uint64_t limited[BENCH_PARAMS];
	struct peer_args args;
	enum proc_end end;
	const char *line;
	char name[32];
	int fields = 0;

	memcpy(limited, value_of, sizeof(limited));
	(void)peer_limit(peer, c, limited);
	peer_args(peer, c, limited, workers, &args);
	proc.argv = args.argv;
	end = proc_run(&proc, result);
	if (end != PROC_OK)
		return end;
	line = strstr(result->out, peer->runtime);
	if (line != NULL)
		fields = sscanf(line, "%*s %31s %lf ops %*f s %lf ns/op", name,
		    ops, ns_per_op);
	if (fields != 3 || strcmp(name, peer_case_of(peer, c)->name) != 0) {
		(void)snprintf(result->error, sizeof(result->error),
		    "printed no figure");
		return PROC_FAILED;
	}
	return PROC_OK;
}
