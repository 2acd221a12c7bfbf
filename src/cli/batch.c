// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan batch`: many images, a process and a database each; a line of JSON tells of every one.
//
// What kernels of one build have in common is not kept from one image to the next. Measured with
// perf on the sample, 33 ms of CPU: BTF's index and names 10 %, symbols 4 %. What was kept would
// have to be held against the image, whose .rodata has to be read for that (another 12 %) and
// hashed, and to be unpacked: that costs more. An image's own types and symbols can't be another's
// then, either.
#include "src/cli/batch.h"

#include "src/base/scope.h"
#include "src/cli/calls.h"
#include "src/cli/json.h"
#include "src/cli/terminal.h"
#include "src/cli/workers.h"
#include "src/db/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct batch {
	const struct options *opts;
	batch_images images;
	struct progress progress;
	int64_t begun_ns;
	size_t analysed, partial, failed, skipped; // so far
};

// --- what became of one ---

static const char *words_of(int status, const struct batch_answer *a, char buf[static 32])
{
	static const char *const words[] = {"analysed",	  "partial",   "usage",
					    "unreadable", "no kernel", "not written"};

	if (a && a->skipped)
		return "done before";
	if (status >= 0 && (size_t)status < sizeof(words) / sizeof(words[0]))
		return words[status];
	if (status <= 128)
		return "internal error";
	(void)snprintf(buf, 32, "ended by signal %d", status - 128);
	return buf;
}

static void count(struct batch *b, int status, const struct batch_answer *a)
{
	if (a && a->skipped)
		b->skipped++;
	else if (status == EXIT_ANALYSED)
		b->analysed++;
	else if (status == EXIT_PARTIAL)
		b->partial++;
	else
		b->failed++;
}

static void json_counts(struct json *j, const struct batch_answer *a)
{
	json_open(j, "counts", '{');
	json_int(j, "processes", a->processes);
	json_int(j, "threads", a->threads);
	json_int(j, "kernel_modules", a->modules);
	json_int(j, "sockets", a->sockets);
	json_int(j, "inconsistencies", a->inconsistencies);
	json_int(j, "errors", a->errors);
	json_int(j, "warnings", a->warnings);
	json_close(j, '}');
}

static void print_line(const struct batch_image *i, int status, const struct batch_answer *a)
{
	static const struct batch_answer nothing;
	bool made = status == EXIT_ANALYSED || status == EXIT_PARTIAL;
	char words[32];
	struct json j;

	if (!a)
		a = &nothing;
	json_init_line(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "image", i->path);
	json_text(&j, "database", !made ? NULL : a->distinct || !i->plain ? i->distinct : i->plain);
	json_int(&j, "exit_status", status);
	json_text(&j, "status", words_of(status, a, words));
	json_double(&j, "seconds", (double)a->duration_ns / 1e9);
	if (made && !a->skipped)
		json_counts(&j, a);
	json_text(&j, "problem", a->problem[0] ? a->problem : NULL);
	json_close(&j, '}');
	json_fini(&j);
	(void)fflush(stdout); // who reads along learns of each as it is done
}

// --- all of them ---

static int work(void *arg, size_t job, void *answer)
{
	const struct batch *b = arg;

	return batch_do(b->opts, &b->images.at[job], answer);
}

// What the child says is not believed further than it must be.
static const struct batch_answer *ended(const void *answer, struct batch_answer *copy)
{
	if (!answer)
		return NULL;
	memcpy(copy, answer, sizeof(*copy));
	copy->problem[sizeof(copy->problem) - 1] = '\0';
	return copy;
}

static void done(void *arg, size_t job, int status, const void *from_child)
{
	struct batch *b = arg;
	struct batch_answer copy;
	const struct batch_answer *answer = ended(from_child, &copy);
	char what[64];

	count(b, status, answer);
	size_t n = b->analysed + b->partial + b->failed + b->skipped;
	progress_clear(&b->progress);
	if (!b->opts->quiet)
		print_line(&b->images.at[job], status, answer);
	(void)snprintf(what, sizeof(what), "%zu of %zu images, %zu failed", n, b->images.n,
		       b->failed);
	progress_step(&b->progress, what, n, b->images.n);
}

static void print_totals(const struct batch *b)
{
	double seconds = (double)(progress_now_ns() - b->begun_ns) / 1e9;
	size_t made = b->analysed + b->partial;
	struct json j;

	json_init_line(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, "total", '{');
	json_int(&j, "images", (int64_t)b->images.n);
	json_int(&j, "analysed", (int64_t)b->analysed);
	json_int(&j, "partial", (int64_t)b->partial);
	json_int(&j, "failed", (int64_t)b->failed);
	json_int(&j, "done_before", (int64_t)b->skipped);
	json_double(&j, "seconds", seconds);
	json_double(&j, "images_per_second", seconds > 0 ? (double)made / seconds : 0);
	json_close(&j, '}');
	json_close(&j, '}');
	json_fini(&j);
}

static struct err *make_folder(const struct options *o)
{
	if (!o->output)
		return err_new(ERR_USAGE, "no folder for the databases given; name it with -o");
	if (mkdir(o->output, 0777) != 0 && errno != EEXIST)
		return err_errno(ERR_OUTPUT, "%s: can't be made", o->output);
	if (access(o->output, W_OK | X_OK) != 0)
		return err_errno(ERR_OUTPUT, "%s: no files can be made in it", o->output);
	return NULL;
}

static struct err *run(struct batch *b, int *signal)
{
	const struct options *o = b->opts;
	const struct workers workers = {
		.most = o->jobs ? o->jobs : workers_cpus(),
		.answer_size = sizeof(struct batch_answer),
		.work = work,
		.done = done,
		.arg = b,
	};

	TRY(make_folder(o));
	progress_step(&b->progress, "looking for images", 0, 0);
	TRY(batch_find(o, &b->images));
	return workers_run(&workers, b->images.n, signal);
}

struct err *call_batch(const struct options *o, enum exit_status *status)
{
	struct batch b = {.opts = o, .begun_ns = progress_now_ns()};
	int signal = 0;

	progress_init(&b.progress, !o->quiet && !o->no_progress);
	struct err *e = run(&b, &signal);
	progress_clear(&b.progress);
	if (!e && !signal && !o->quiet)
		print_totals(&b);
	*status = b.failed || b.partial ? EXIT_PARTIAL : EXIT_ANALYSED;
	batch_images_fini(&b.images);
	if (signal)
		workers_die(signal);
	return e;
}
