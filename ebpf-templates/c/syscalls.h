/* The system calls of traced threads: those within WASI calls add to them, and each may be an event. */
#pragma once

/* The system calls of x86-64 that return a number of bytes read or written. */
static __always_inline bool moves_bytes(__u64 nr)
{
	switch (nr) {
	case 0: case 1:          /* read write */
	case 17: case 18:        /* pread64 pwrite64 */
	case 19: case 20:        /* readv writev */
	case 40:                 /* sendfile */
	case 44: case 45:        /* sendto recvfrom */
	case 46: case 47:        /* sendmsg recvmsg */
	case 217:                /* getdents64 */
	case 295: case 296:      /* preadv pwritev */
	case 318:                /* getrandom */
	case 326: case 327: case 328:  /* copy_file_range preadv2 pwritev2 */
		return 1;
	}
	return 0;
}

/* The system calls by which the kernel's own probe trampolines enter it (uretprobe, uprobe): they are the
 * tracer's, not the program's. */
static __always_inline bool is_probe(__u64 nr)
{
	return nr == 335 || nr == 336;
}

/* The arguments as they were passed, from the registers of the system call. */
static __always_inline void read_syscall_arguments(struct call *record, __u64 regs)
{
	struct {
		__u64 r10, r9, r8, ax, cx, dx, si, di;
	} at;

	if (bpf_probe_read_kernel(&at, sizeof(at), (void *)(regs + __builtin_offsetof(struct pt_regs, r10)))) {
		record->arg0 = record->arg1 = record->arg2 = NONE;
		record->arg3 = record->arg4 = record->arg5 = NONE;
		return;
	}
	record->arg0 = at.di;
	record->arg1 = at.si;
	record->arg2 = at.dx;
	record->arg3 = at.r10;
	record->arg4 = at.r8;
	record->arg5 = at.r9;
}

/* Whether the current process is one whose system calls may be events. That every process is traced does
 * not make it one: it has a runtime, or was asked for. */
static __always_inline bool is_followed(void)
{
	struct thread *thread;
	__u32 pid;

	if (!follows_all)
		return 1;
	thread = known_thread();
	if (thread && thread->known == generation + 1)
		return 1;
	pid = bpf_get_current_pid_tgid() >> 32;
	return bpf_map_lookup_elem(&processes, &pid) != 0;
}

/* A system call begins in a WASI call. */
static __always_inline void count_syscall(struct call *call, __u64 nr)
{
	call->syscall_count++;
	if ((script_reads & READS_WATCHED_0) && nr == watched[0])
		call->watched_0++;
	if ((script_reads & READS_WATCHED_1) && nr == watched[1])
		call->watched_1++;
	if ((script_reads & READS_WATCHED_2) && nr == watched[2])
		call->watched_2++;
	if ((script_reads & READS_WATCHED_3) && nr == watched[3])
		call->watched_3++;
}

SEC("raw_tp/sys_enter")
int syscall_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct thread *thread;
	__u64 nr = ctx->args[1];

	if (is_probe(nr))
		return 0;
	if (syscall_events) {
		if (!is_followed())
			return 0;
		thread = traced_thread();
		if (!thread || (!thread->depth && thread->quiet))
			return 0;
		if (script_reads & (0x3full * READS_ARG0))
			read_syscall_arguments(&thread->event, ctx->args[0]);
		if (books_handed && !thread->depth)
			helper_enters(nr, ctx->args[0]);
	} else {
		thread = known_thread();
		if (books_handed && !(thread && thread->depth))
			helper_enters(nr, ctx->args[0]);
		if (!thread || !thread->depth)
			return 0;
	}
	if (thread->depth) {
		struct open_call *open = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)];
		struct call *call = &open->call;

		if (books_handed && open->handed)
			caller_enters(open, nr, ctx->args[0]);
		count_syscall(call, nr);
	}
	thread->syscall = nr;
	thread->syscall_start = bpf_ktime_get_ns();
	return 0;
}

/* A system call has completed that began at `start`: an event of its own. `around` has the call that it was made in. */
static __always_inline void complete_syscall(void *ctx, struct thread *thread, __u64 start, struct thread *around,
					     struct helper *helper, __s64 ret, __u64 now)
{
	struct call *record = &thread->event;
	__u64 id = bpf_get_current_pid_tgid();

	record->syscall = thread->syscall;
	record->ret = ret;
	record->sys_errno = ret < 0 && ret >= -4095 ? -ret : 0;
	record->duration = now - start;
	record->pid = id >> 32;
	record->tid = (__u32)id;
	record->module = thread->module;
	record->syscall_runtime = thread->runtime;
	if (script_reads & READS_COMM)
		read_comm(record->comm);
	record->call_id = 0;
	record->wasi_func = NONE;
	record->wasi_duration = NONE;
	if ((script_reads & (READS_CALL_ID | READS_WASI_FUNC | READS_WASI_DURATION)) && around && around->depth) {
		struct open_call *open = &around->open[(around->depth - 1) & (MAX_DEPTH - 1)];

		if (open->named) {
			record->call_id = open->call.call_id;
			record->wasi_func = open->call.func;
			record->wasi_duration = now - open->start;
		}
	}
	if (books_handed) {
		record->handed = 0;
		if (helper)
			say_handed(record, helper, now);
	}
	ewapa_syscall(record, ctx);
}

/* It ends. */
static __always_inline void end_syscall(struct call *call, struct thread *thread, __s64 ret, __u64 now)
{
	call->syscall_time += now - thread->syscall_start;
	if (ret > 0 && moves_bytes(thread->syscall))
		call->syscall_bytes += ret;
}

SEC("raw_tp/sys_exit")
int syscall_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct thread *thread = known_thread();
	struct helper *helper = 0;
	__s64 ret = ctx->args[1];
	__u64 now;

	if (books_handed && !(thread && thread->depth))
		helper = leaving_helper();
	if (!helper && (!thread || !thread->syscall_start))
		return 0;
	now = bpf_ktime_get_ns();
	if (helper)
		helper_leaves(helper, ret > 0 && moves_bytes(helper->syscall) ? ret : 0, now);
	if (!thread || !thread->syscall_start)
		return 0;
	if (thread->depth) {
		struct call *call = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)].call;

		end_syscall(call, thread, ret, now);
	}
	if (syscall_events && !thread->quiet)
		complete_syscall(ctx, thread, thread->syscall_start, thread, helper, ret, now);
	thread->syscall_start = 0;
	return 0;
}

/* Attached, beside the programs above, as long as there are probes on Go programs: their calls are those of goroutines, and
 * not of threads. In a system call a goroutine stays on its thread. */
SEC("raw_tp/goroutine_sys_enter")
int goroutine_syscall_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct running *running = goroutine_host();
	struct thread *record, *thread;
	__u64 nr = ctx->args[1];

	if (!running || is_probe(nr))
		return 0;
	record = running_goroutine(running);
	if (record && record->depth) {
		count_syscall(&record->open[(record->depth - 1) & (MAX_DEPTH - 1)].call, nr);
		record->syscall = nr;
		record->syscall_start = bpf_ktime_get_ns();
	}
	if (!syscall_events)
		return 0;
	/* As the program above has just found it. */
	thread = known_thread();
	if (!thread || thread->quiet != QUIET_GOROUTINES)
		return 0;
	if (script_reads & (0x3full * READS_ARG0))
		read_syscall_arguments(&thread->event, ctx->args[0]);
	thread->syscall = nr;
	thread->syscall_since = bpf_ktime_get_ns();
	return 0;
}

SEC("raw_tp/goroutine_sys_exit")
int goroutine_syscall_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct running *running = goroutine_host();
	struct thread *record, *thread;
	__s64 ret = ctx->args[1];
	__u64 now;

	if (!running && !syscall_events)
		return 0;
	record = running ? running_goroutine(running) : 0;
	now = bpf_ktime_get_ns();
	if (record && record->syscall_start) {
		if (record->depth)
			end_syscall(&record->open[(record->depth - 1) & (MAX_DEPTH - 1)].call, record, ret, now);
		record->syscall_start = 0;
	}
	if (!syscall_events)
		return 0;
	/* Also of an exec, whose process is no host any more. */
	thread = known_thread();
	if (thread && thread->syscall_since) {
		complete_syscall(ctx, thread, thread->syscall_since, record, 0, ret, now);
		thread->syscall_since = 0;
	}
	return 0;
}
