# SPDX-License-Identifier: Apache-2.0
"""
What protects a run, and the test that fails when it is taken out.

Each row: what it is for, the text in a source file that is the protection, what stands there when it is
taken out, and the tests that must then fail. check.py does that to a copy of the tree, one row at a time;
a text that is no longer there is a failure, so that a row lives and dies with its code.

Tests are named as `ctest` names them, then the case: of a unit test, or of a class in Python; `run/null` is
one pair of the matrix in test_misbehaviour.py. Where one protection stands behind another, a row takes out both.
"""


class Protection:
    def __init__(self, purpose, file, text, instead, *tests):
        self.purpose, self.tests = purpose, tests
        self.changes = [(file, text, instead)]

    def also(self, file, text, instead):
        """What has to go as well, for it does the same."""
        self.changes.append((file, text, instead))
        return self


RUNNER, WORKER, SESSION = "core/runtime/runner.c", "core/runtime/worker.c", "core/runtime/session.c"
UNDO, CRASH, SECRETMEM = "core/runtime/undo.c", "core/runtime/crash.c", "core/runtime/secretmem.c"
LINK, STAGE, RUN = "core/host/run/link.c", "core/host/run/stage.c", "core/host/run/run.c"
REQUESTS, SIGNALS = "core/host/run/requests.c", "core/host/run/signals.c"
LOG, LOGFILE, RECORD = "core/host/log/log.c", "core/host/log/logfile.c", "core/host/log/record.c"

PROCESSES = [
    Protection("What a dead worker started, in whatever session, becomes a child of the runner, which ends it "
               "before the way back begins",
               RUNNER, "	prctl(PR_SET_CHILD_SUBREAPER, 1);\n", "",
               "cli/test_run Disorder.test_a_child_that_prints_on_after_its_death"),
    Protection("and it does end it",
               RUNNER, "	runner->child = 0;\n	descendants_kill(NULL, 0, 0, NULL);\n", "	runner->child = 0;\n",
               "cli/test_run Disorder.test_a_child_that_prints_on_after_its_death"),
    Protection("What a dead runner leaves becomes a child of the supervisor",
               RUN, "	prctl(PR_SET_CHILD_SUBREAPER, 1);\n", "",
               "cli/test_misbehaviour run/kill-runner-and-stay"),
    Protection("which ends it",
               LINK, "	descendants_kill(spared, count, 0, NULL);\n", "	(void)spared;\n",
               "cli/test_misbehaviour run/kill-runner-and-stay"),
    Protection("but not the runners of the outer runs",
               LINK, "			spared[count++] = each->runner;\n", "			spared[count] = each->runner;\n",
               "cli/test_nested Code.test_every_kind_of_end"),
    Protection("A worker does not outlive its runner when nobody is left to end it",
               WORKER, "	prctl(PR_SET_PDEATHSIG, SIGKILL);\n", "",
               "cli/test_signals Killed.test_supervisor_and_runner_at_once"),
    Protection("The keys of the operator's terminal reach the supervisor alone",
               RUNNER, "	setsid();\n", "",
               "cli/test_signals OnATerminal.test_runner_and_worker_are_not_hit"),
    Protection("A worker that signals its process group hits nobody else",
               WORKER, "	setsid();\n", "",
               "cli/test_misbehaviour run/kill-group"),
    Protection("No descriptor of whoever started the run reaches the cookbook",
               LINK, "	posix_spawn_file_actions_addclosefrom_np(&actions, add_locks(&actions, link->locks));\n",
               "	add_locks(&actions, link->locks);\n",
               "cli/test_run Inherited.test_descriptors"),
    Protection("nor does the way to the supervisor that is the runner's",
               RUNNER, "		close(runner->control.fd);\n", "",
               "cli/test_run Inherited.test_descriptors"),
    Protection("The worker hears the signals that the operator's shell had blocked, and those that the runner has",
               WORKER, "	sigprocmask(SIG_SETMASK, &none, NULL);\n	offer_to_oom_killer();\n",
               "	offer_to_oom_killer();\n",
               "cli/test_run Inherited.test_signals"),
    Protection("A runner that cannot tell a death is not waited for",
               LINK, "		link->death_due_ns = spk_uptime().ns + DEATH_TIMEOUT_NS;\n",
               "		link->death_due_ns = INT64_MAX;\n",
               "cli/test_signals Stopped.test_runner_that_cannot_tell_of_a_death"),
    Protection("Who did not see the supervisor die says in the log what that means",
               RUNNER, "		last_words(&session);\n", "		(void)last_words;\n",
               "cli/test_misbehaviour run/kill-supervisor"),
    Protection("A process that the cookbook forked does not come back from a callback",
               "core/runtime/guard.c", "	session_end_twin(spk);\n", "",
               "cli/test_misbehaviour scope/fork-returns"),
    Protection("nor does it talk to the supervisor",
               SESSION, "	session_end_twin(spk);\n", "",
               "cli/test_misbehaviour run/fork-logs"),
    Protection("The settings of the terminal are put back",
               RUN, "	ttymode_restore(&mode);\n", "",
               "cli/test_misbehaviour terminal:run/terminal"),
]

RESULTS = [
    Protection("Only a result is one: a process that exits with 0 has not succeeded",
               STAGE, "			return ended(run, ENDED_DEATH);\n",
               "			return ended(run, event->death.status == 0 ? ENDED_RESULT : ENDED_DEATH);\n",
               "cli/test_misbehaviour run/exit-0", "cli/test_misbehaviour run/exec"),
    Protection("None but that of the stage that was ordered",
               REQUESTS, "link->stage_ordered && on_result(link, &message)", "on_result(link, &message)",
               "unit/test_link no_result_without_an_order"),
    Protection("What a worker said is heard before the news of its death",
               LINK, "		if (fds[REQUESTS].revents) {\n", "		if (fds[REQUESTS].revents && !fds[CONTROL].revents) {\n",
               "unit/test_link what_was_said_comes_before_the_death"),
    Protection("Half a message dies with its sender",
               LINK, "		channel_discard(&link->requests);\n", "",
               "unit/test_link half_a_message_dies_with_its_sender"),
    Protection("An order that came too late for a dead worker is not done by its successor",
               RUNNER, "	if (!runner->child)\n		channel_discard(&runner->spk->requests);\n", "",
               "cli/test_signals Killed.test_an_order_that_the_dead_worker_had_not_taken_is_not_for_its_successor"),
    Protection("Who waits in silence asks what was lost",
               SESSION, "		ask_what_was_lost(spk, awaited);\n", "		(void)ask_what_was_lost;\n",
               "unit/test_worker who_waits_asks_what_was_lost"),
    Protection("No message is larger than the supervisor wants to keep",
               "core/runtime/channel.c", "	return before + head->length <= CHANNEL_BODY_MAX;\n", "	return true;\n",
               "unit/test_channel no_body_beyond_the_limit"),
    Protection("The handler of a crash has a stack when the stack is the reason",
               CRASH, "SA_SIGINFO | SA_ONSTACK |", "SA_SIGINFO |",
               "cli/test_misbehaviour run/overflow"),
    Protection("No more than eight runs are within each other",
               STAGE, "run->depth >= NESTED_DEPTH_MAX", "run->depth >= NESTED_DEPTH_MAX + 2",
               "cli/test_nested Code.test_depth"),
    Protection("What is loaded is what was read",
               "core/runtime/opened.c", "	if (compare_file(order, err) < 0)\n		return -1;\n	handle =",
               "	handle =",
               "unit/test_opened another_file_is_not_opened")
    .also("core/runtime/opened.c", "	if (compare_file(order, err) < 0)\n		return -1;\n	if (!loaded.found",
          "	(void)compare_file;\n	if (!loaded.found"),
]

UNDOING = [
    Protection("Rollback is called at most once",
               WORKER, "	spk->shared->rollback_started = true;\n", "",
               "unit/test_worker rollback_is_called_once"),
    Protection("An undo action is called at most once",
               UNDO, "	scope->state = UNDO_RUNNING;\n", "",
               "cli/test_misbehaviour scope/null"),
    Protection("An undo record that the cookbook has overwritten is not called after its death",
               UNDO, "scope->checksum == checksum(scope) &&", "",
               "cli/test_misbehaviour run/scribble-record-and-die"),
    Protection("nor while it lives",
               UNDO, "	if (!intact(spk->shared, call->scope))\n", "	if (false)\n",
               "cli/test_misbehaviour run/scribble-record"),
    Protection("What interrupted the run does not interrupt its undoing",
               "core/host/run/rollback.c", "	link_clear_interrupt(&run->link);\n", "",
               "cli/test_signals CtrlC.test_what_nobody_took_does_not_interrupt_the_rollback")
    .also(WORKER, "	[STAGE_ROLLBACK] = {stage_rollback, false},\n", "	[STAGE_ROLLBACK] = {stage_rollback, true},\n"),
    Protection("An undo action has arguments that a fresh process can read",
               UNDO, "	if (!outlives_process(spk, argument))\n", "	if (false && !outlives_process(spk, argument))\n",
               "cli/test_run Raised.test_undo_actions_may_not_look_at_the_stack"),
    Protection("An error is told also by a run that has used up its memory",
               "core/runtime/arena.c", "ARENA_SIZE - (reserve ? 0 : ARENA_RESERVE)", "ARENA_SIZE",
               "cli/test_misbehaviour run/memory-of-run"),
]

SIGNALS_AND_TIME = [
    Protection("The second Ctrl+C ends what does not react",
               STAGE, "		log_warning(run->log, \"Ctrl+C again: killing the cookbook\");\n		kill_child(run);\n",
               "		log_warning(run->log, \"Ctrl+C again: killing the cookbook\");\n",
               "cli/test_misbehaviour run/wait"),
    Protection("Where nobody can press it, that is done after ten seconds",
               STAGE, "run->by_terminal ? INT64_MAX : run->interrupted_ns + DEAF_GRACE_NS", "INT64_MAX",
               "cli/test_signals OtherSignals.test_a_deaf_cookbook_is_killed_some_time_after_sigterm"),
    Protection("A run ends when its time is over",
               STAGE, "		return run->deadline_ns;\n", "		return INT64_MAX;\n",
               "cli/test_misbehaviour deadline:run/sleep"),
    Protection("however much it has to say",
               LINK, "		if (left <= 0)\n			return until", "		if (left < INT64_MIN + 1)\n			return until",
               "unit/test_link a_deadline_holds_against_who_never_stops_talking"),
    Protection("A reader of standard output that goes away does not end the supervisor",
               SIGNALS, "	signal(SIGPIPE, SIG_IGN);\n", "",
               "cli/test_logs Data.test_a_reader_that_stops_does_not_stop_the_run"),
    Protection("nor does a log file that may not grow",
               SIGNALS, "	signal(SIGXFSZ, SIG_IGN);\n", "",
               "cli/test_logs LostPlace.test_files_that_may_not_grow"),
    Protection("A terminal that stands still does not hold up the run",
               "core/host/log/terminal.c", "	own = open_unwaiting(fd, st.st_mode);\n", "	own = -1;\n	(void)open_unwaiting;\n",
               "unit/test_terminal stopped_tty"),
]

LOGS = [
    Protection("A record that the cookbook knows to be logged is in the file",
               SESSION, "	session_request(spk, REQUEST_LOG, &body, &answer);\n",
               "	(void)answer;\n	if (channel_send(&spk->requests, REQUEST_LOG, 0, &body, -1) < 0)\n		_exit(1);\n",
               "cli/test_signals Killed.test_what_was_acknowledged_is_in_the_file"),
    Protection("No character of a message drives the terminal",
               RECORD, "			printable_add(out, text + i, end - i);\n", "			buf_add(out, text + i, end - i);\n",
               "cli/test_misbehaviour run/bytes", "cli/test_logs OnStderr.test_control_characters_are_shown_as_text"),
    Protection("No line of a message is a record",
               RECORD, "#define CONTINUATION \"\\n    \"", "#define CONTINUATION \"\\n\"",
               "cli/test_logs Files.test_a_message_cannot_forge_a_record"),
    Protection("One process at a time moves a full file aside",
               LOGFILE, "	if (is_current(sink, logfile->directory, &st)) {\n", "	if (true || fstat(sink->fd, &st) == 0) {\n",
               "unit/test_logfile many_processes_write_and_rotate")
    .also(LOGFILE, "	if (flock(sink->fd, LOCK_EX | LOCK_NB) < 0)\n", "	if (false)\n"),
    Protection("Who writes to a file that was moved aside notices",
               LOGFILE, "	if (!is_current(sink, logfile->directory, &st))\n", "	if (fstat(sink->fd, &st) < 0)\n",
               "unit/test_logfile follows_the_rotation_of_others"),
    Protection("A log file is no link to somewhere else",
               LOGFILE, "O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK", "O_CLOEXEC | O_NONBLOCK",
               "cli/test_logs NoPlaceForLogs.test_a_file_that_is_a_link"),
    Protection("A disk that was full leaves at most one record cut",
               LOGFILE, "			sink->torn = sink->torn || done > 0;\n", "",
               "unit/test_logfile disk_full_is_told_once_per_file"),
    Protection("It is told once",
               LOGFILE, "	sink->reported = true;\n", "",
               "unit/test_logfile disk_full_is_told_once_per_file"),
]

SECRETS = [
    Protection("A secret is not in a record",
               LOG, "		clean.message = redact(&log->streams[record->source], record->message,\n"
               "				       &log->message);\n", "",
               "cli/test_secrets Records.test_message", "cli/test_secrets Records.test_stderr"),
    Protection("also encoded",
               "core/runtime/secretforms.c", "		rc = make_base64(&maker);\n", "		rc = 0, (void)make_base64;\n",
               "cli/test_secrets Records.test_encoded_message"),
    Protection("A secret is not in what goes to standard output",
               "core/host/run/output.c", "		if (stream)\n", "		if (!into)\n",
               "cli/test_secrets Data.test_stdout", "cli/test_secrets Data.test_split_over_two_writes"),
    Protection("nor in the words of a command",
               "core/modules/command.c", "	refuse_secrets(\"word\", how.argv);\n", "",
               "cli/test_secrets Commands.test_word"),
    Protection("nor in its environment",
               "core/modules/command.c", "	refuse_secrets(\"environment entry\", how.environment);\n", "",
               "cli/test_secrets Commands.test_environment"),
    Protection("It is in no core dump",
               SECRETMEM, "	if (madvise(memory, size, MADV_DONTDUMP) < 0 ||\n	    madvise", "	if (madvise",
               "cli/test_secrets Memory.test_only_where_no_dump_looks"),
    Protection("nor is what the run allocates",
               "core/runtime/arena.c", "	if (madvise(shared, ARENA_SIZE, MADV_DONTDUMP) < 0) {", "	if (false) {",
               "cli/test_secrets Memory.test_only_where_no_dump_looks"),
    Protection("A message is wiped where it was received",
               "core/runtime/channel.c", "		explicit_bzero(packet, (size_t)got);\n", "",
               "cli/test_secrets Memory.test_only_where_no_dump_looks"),
    Protection("A process that the cookbook forks does not have it",
               SECRETMEM, " ||\n	    madvise(memory, size, MADV_WIPEONFORK) < 0) {", ") {",
               "cli/test_secrets Life.test_empty_in_a_child_of_the_cookbook"),
    Protection("It is wiped at the end of its scope",
               "core/modules/secret.c", "	spk_secret_wipe(argument);\n", "	(void)argument;\n",
               "cli/test_secrets Life.test_wiped_at_the_end_of_its_scope"),
]

TRUST = [
    Protection("A file that others may write is not opened",
               "core/runtime/trust.c", "	if (st->st_mode & S_IWOTH)\n", "	if (false)\n",
               "unit/test_trust judges_attributes"),
    Protection("nor one of another user",
               "core/runtime/trust.c", "	if (st->st_uid == 0 || st->st_uid == geteuid())\n		return 0;\n",
               "	if (st->st_uid != UINT32_MAX)\n		return 0;\n",
               "unit/test_trust judges_attributes"),
    Protection("nor one below a directory that is like that",
               "core/runtime/trust.c", "		if (trust_check_stat(walk->done.text, &st, err) < 0)\n			return -1;\n"
               "		known_add(walk->done.text);\n", "		known_add(walk->done.text);\n",
               "unit/test_trust walks_up_to_the_root"),
]

ROWS, KEEPER, LOCKS_C = "plugins/sqlite/rows.c", "core/host/lock/keeper.c", "core/host/lock/locks.c"

LOCKS = [
    Protection("A run has its lock before it starts",
               RUN, "	return locks_take_for_run(run, result, code);\n", "	return true;\n",
               "cli/test_locks LockOfARun.test_another_waits_and_then_runs"),
    Protection("No more hold a lock than may",
               ROWS, "	return !limit || holders < limit;\n", "	return !limit || holders <= limit;\n",
               "cli/test_locks Contention.test_one_at_a_time", "cli/test_locks LockOfARun.test_concurrency"),
    Protection("Nobody overtakes who came before",
               ROWS, "		if (!row_fits(store, row))\n			break;\n",
               "		if (!row_fits(store, row))\n			continue;\n",
               "cli/test_locks Contention.test_nobody_overtakes"),
    Protection("A lock is held until the last process of the run is gone",
               LINK, "	if (locks && locks->lease_fd >= 0 && locks->life_fd >= 0) {\n", "	if (false) {\n",
               "cli/test_locks Deaths.test_killed_supervisor_with_a_stopped_worker_and_runner"),
    Protection("and no longer",
               ROWS, "		return !run_is_alive(store, row->run);\n", "		return false;\n",
               "cli/test_locks Deaths.test_killed_supervisor"),
    Protection("Who waits for a lock can be stopped",
               LOCKS_C, "	run->interrupted = true;\n	keeper_cancel(run->locks->keeper);\n", "	run->interrupted = true;\n",
               "cli/test_locks LockOfARun.test_stop_while_waiting"),
    Protection("also a cookbook that waits for one of its own",
               STAGE, "	locks_interrupt(run);\n", "",
               "cli/test_locks LocksOfACookbook.test_interrupted_while_waiting"),
    Protection("What a dead worker has asked for is not its successor's",
               STAGE, "	locks_forget_child(run);\n	return ending;\n", "	return ending;\n",
               "cli/test_locks LocksOfACookbook.test_killed_while_waiting"),
    Protection("A run does not wait for itself",
               LOCKS_C, "	if (deadlock) {\n", "	if (deadlock && false) {\n",
               "cli/test_locks LockOfARun.test_nested_runs"),
    Protection("A dry run takes nothing",
               LOCKS_C, "	return run->locks->dry_run ? look_for_run", "	return false ? look_for_run",
               "cli/test_locks LockOfARun.test_dry_run_says_what_it_would_wait_for"),
    Protection("A run that has lost its lock does not go on",
               STAGE, "			link_end(&run->link);\n", "			(void)run;\n",
               "cli/test_locks Commands.test_release_ends_the_run_with_91")
    .also(RUNNER, "		if (lease_is_over(runner.lease) && !runner.in_process &&\n", "		if (false && !runner.in_process &&\n"),
    Protection("A lock that was taken away is noticed",
               KEEPER, "		if (keeper->held_count)\n			lose(keeper, call.reason.text);\n", "",
               "cli/test_locks Commands.test_release_ends_the_run_with_91"),
    Protection("also when its whole database was",
               "plugins/sqlite/lock_sqlite.c", "	if (!database_is_in_place(store)) {\n", "	if (false) {\n",
               "cli/test_locks Files.test_removed_under_a_run"),
    Protection("A ttl that has passed is told once",
               KEEPER, "		keeper->held[i].old_ns = INT64_MAX;\n", "",
               "cli/test_locks LockOfARun.test_ttl_that_passes_is_told_once_and_frees_nothing"),
    Protection("Nobody comes in while an operator holds the key",
               ROWS, "		if (!other->gone && row_is_freeze(other))\n			return false;\n", "",
               "cli/test_locks Commands.test_hold"),
    Protection("A database of somebody else's is not written to",
               "plugins/sqlite/database.c", "	if (application == APPLICATION_ID && version == VERSION)\n",
               "	if (version >= 0)\n",
               "cli/test_locks Files.test_of_somebody_else"),
    Protection("A directory that others may write to is not used",
               "core/host/lock/runfile.c", "	if (st.st_mode & S_IWOTH)\n", "	if (0)\n",
               "cli/test_locks Files.test_writable_by_all_is_refused"),
]

ETCD = "plugins/etcd/"

LOCKS_IN_ETCD = [
    Protection("No more hold a lock than may",
               ETCD + "entry.c", "		if (holders >= least)\n", "		if (false)\n",
               "etcd/test_etcd_contend Contend.test_one_at_a_time"),
    Protection("Nobody comes in while an operator holds the key",
               ETCD + "entry.c", "		if (items[i].reason && items[i].in_until < in_until)\n", "		if (false)\n",
               "etcd/test_etcd_v3 Freeze.test_nobody_comes_in"),
    Protection("The renewal of a leader that was replaced counts for nothing",
               ETCD + "v3renew.c", "		if (term_now != term) {\n", "		if (false) {\n",
               "etcd/test_etcd_v3 Lease.test_a_renewal_of_an_older_term_is_none"),
    Protection("A renewal without a TTL is the end of the lease",
               ETCD + "v3renew.c", "	else if (status == SPK_LOCK_OK && *ret_ttl <= 0)\n", "	else if (false)\n",
               "etcd/test_etcd_v3 Lease.test_a_lease_that_ended_is_lost"),
    Protection("Who is in by a queue seen long ago makes sure of its lease",
               ETCD + "v3wait.c", "	if (status == SPK_LOCK_OK && v3->lease && http_now() >= v3->next) {\n", "	if (false) {\n",
               "etcd/test_etcd_v3 Lease.test_a_lease_that_ended_is_not_in_by_an_old_view"),
    Protection("A watch that lags behind a compaction is read again",
               ETCD + "v3wait.c", "	if (!result || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, \"canceled\"))) {\n",
               "	if (!result) {\n",
               "etcd/test_etcd_v3 Watch.test_compaction_means_read_again"),
    Protection("Nothing is written to a member of another cluster",
               ETCD + "client.c", "		if (outcome == OUTCOME_ANSWERED && client->cluster && !member->known &&\n",
               "		if (false && outcome == OUTCOME_ANSWERED && client->cluster && !member->known &&\n",
               "etcd/test_etcd_failure Three.test_members_of_two_clusters"),
    Protection("API 2: nothing of others is overwritten",
               ETCD + "v2.c", "	if (value->index)\n		text_printf(&query", "	if (false)\n		text_printf(&query",
               "etcd/test_etcd_v2 Both.test_nothing_of_others_is_overwritten"),
    Protection("nor where there was nothing",
               ETCD + "v2.c", "		text_puts(&query, \"?prevExist=false\");\n", "		text_puts(&query, \"\");\n",
               "etcd/test_etcd_v2 Both.test_nothing_of_others_is_overwritten"),
    Protection("A renewal that a writer of the other host may undo is not counted on",
               ETCD + "v2.c", "	int64_t counts = held->in ? held->sent : sent;\n", "	int64_t counts = sent;\n",
               "etcd/test_etcd_v2 Both.test_a_writer_of_the_other_host_undoes_a_renewal_at_most"),
]

NOTIFY, TUNNEL = "core/host/notify/notify.c", "plugins/irc/tunnel.c"

ANNOUNCEMENTS = [
    Protection("No secret is announced",
               NOTIFY, "	redactor_apply(redactor_shared(), &notify->stream, message, &redacted);\n",
               "	buf_puts(&redacted, message);\n",
               "cli/test_announce Texts.test_secrets"),
    Protection("What is announced is one line",
               NOTIFY, "	record_sanitize(buf_text(text), length, \" \", line);\n",
               "	buf_add(line, buf_text(text), length);\n",
               "cli/test_announce Texts.test_hostile_texts"),
    Protection("A dry run announces nothing",
               NOTIFY, "	if (dry_run)\n		return NULL;\n", "",
               "cli/test_announce Texts.test_dry_run"),
    Protection("A line of a server that crashes libircclient does not reach it",
               TUNNEL, "	if (!tunnel->too_long && line_is_good(tunnel->line, tunnel->line_length)) {\n",
               "	if (!tunnel->too_long) {\n",
               "cli/test_announce OddServers.test_lines_that_kill_libircclient"),
    Protection("A server of IRC proves with its certificate that it is the one that was asked for",
               TUNNEL, "		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1;\n",
               "		return true;\n",
               "cli/test_announce Irc.test_certificates_that_prove_nothing"),
]

PROTECTIONS = [*PROCESSES, *RESULTS, *UNDOING, *SIGNALS_AND_TIME, *LOGS, *SECRETS, *TRUST, *LOCKS,
               *LOCKS_IN_ETCD, *ANNOUNCEMENTS]
