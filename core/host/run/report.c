/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* A fault this near to the stack pointer is an overflow of the stack. */
#define STACK_NEAR 65536U

/* The words of a command of the host's own were the operator's: its calls tell him nothing. */
static bool is_own_command(const struct run *run)
{
	return run->options->program && !run->outer;
}

void report_error(struct run *run, const char *what)
{
	struct stage_result *result = &run->link.event.result;
	struct link_trace trace = result->trace;
	struct buf calls = {0};

	link_describe(&run->link, &trace, &calls);
	if (!is_own_command(run)) {
		log_error(run->log, "Exception raised while %s cookbook %s: %s\n%s", what,
			  name_of(run), buf_text(&result->error), buf_text(&calls));
	} else {
		log_error(run->log, "%s", buf_text(&result->error));
		if (calls.length)
			log_debug(run->log, "Raised while %s cookbook %s, by\n%s", what,
				  name_of(run), buf_text(&calls));
	}
	buf_free(&calls);
}

static void say_how_it_died(const struct child_death *death, struct buf *text)
{
	if (WIFSIGNALED(death->status)) {
		int number = WTERMSIG(death->status);
		const char *name = sigabbrev_np(number);

		buf_printf(text, "was ended by signal %d (SIG%s, %s)", number, name ? name : "?",
			   strsignal(number));
	} else {
		buf_printf(text, "exited with code %d without a result",
			   WEXITSTATUS(death->status));
	}
	if (death->signal != SIGSEGV && death->signal != SIGBUS)
		return;
	buf_printf(text, " at address %#lx", (unsigned long)death->fault_address);
	if (death->fault_address - death->stack_pointer + STACK_NEAR < 2 * STACK_NEAR)
		buf_puts(text, ", its stack overflowed");
}

void report_death(struct run *run)
{
	struct link *link = &run->link;
	struct child_death death = link->event.death;
	struct buf text = {0};

	buf_printf(&text, "Cookbook %s ", name_of(run));
	say_how_it_died(&death, &text);
	buf_printf(&text, " during %s\n    build-id %s\n", death.stage[0] ? death.stage : "start",
		   link->build_id[0] ? link->build_id : "none");
	link_describe(link, &death.trace, &text);
	log_error(run->log, "%s", buf_text(&text));
	buf_free(&text);
}
