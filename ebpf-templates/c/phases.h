/* What a process reaches in turn: exec, the guest's begin, the first WASI call, the end. */
#pragma once

/* How far a process has come. Its own time stands still while it is held stopped for user space. */
struct life {
	__u64 exec;      /* when it became its program: ns, CLOCK_MONOTONIC; 0 if that was before it was traced */
	__u64 last;      /* when it reached the phase before the next one, in its own time; 0 if that is not known */
	__u64 held;      /* how long it has been held stopped since exec, ns */
	__u64 stopped;   /* since when it is held stopped; 0 if it is not */
	__u32 reached;   /* a bit for each phase */
	__u32 pad;
	char comm[16];   /* the name of its first thread at exec */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct life);
} lives SEC(".maps");

/* The record of a phase that user space brings about. Only it runs that program, one at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call);
} phase_record SEC(".maps");

static __always_inline __u64 own_time(struct life *life, __u64 now)
{
	__u64 held = life->held;

	if (life->stopped)
		held += now - life->stopped;
	return now - held;
}

/* Takes the time of a phase. Returns 0 if the process has reached it before. */
static __always_inline bool reach(struct life *life, __u32 phase, struct call *record)
{
	__u32 bit = 1u << phase;
	__u64 now;

	if ((life->reached & bit) || (__sync_fetch_and_or(&life->reached, bit) & bit))
		return 0;
	now = own_time(life, bpf_ktime_get_ns());
	record->phase = phase;
	record->phase_duration = life->last ? (__s64)(now - life->last) : NONE;
	record->elapsed_exec = life->exec ? (__s64)(now - life->exec) : NONE;
	life->last = now;
	return 1;
}

/* The current thread's process may have reached a phase. */
static __always_inline void reach_by_thread(struct pt_regs *ctx, struct thread *thread, __u32 phase, __s64 runtime)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 pid = id >> 32;
	struct life *life = bpf_map_lookup_elem(&lives, &pid);
	struct call *record = &thread->event;

	/* What is no runtime has no phases. */
	if (!life || runtime == NONE)
		return;
	/* It was not held, and went on before it was known for a runtime: what follows has no phase before it. */
	if (!(life->reached & 1u << PHASE_EXEC)) {
		__sync_fetch_and_or(&life->reached, 1u << phase);
		life->last = 0;
		return;
	}
	if (!reach(life, phase, record))
		return;
	record->runtime = runtime;
	record->module = thread->module;
	record->pid = pid;
	record->tid = (__u32)id;
	read_comm(record->comm);
	ewapa_phase(record, ctx);
}

/* A traced process has a new program. */
static __always_inline void begin_life(__u32 pid)
{
	struct life life = {};

	life.exec = bpf_ktime_get_ns();
	life.last = life.exec;
	read_comm(life.comm);
	if (bpf_map_update_elem(&lives, &pid, &life, BPF_ANY))
		count(COUNT_LIVES);
}

/* The current process begins as a runtime that is known. */
static __always_inline void begin_as_runtime(void *ctx, __u32 pid, __s64 runtime)
{
	struct life *life = bpf_map_lookup_elem(&lives, &pid);
	struct thread *thread = traced_thread();
	struct call *record;

	if (!life || !thread)
		return;
	life->reached = 1u << PHASE_EXEC;
	record = &thread->event;
	record->phase = PHASE_EXEC;
	record->phase_duration = NONE;
	record->elapsed_exec = 0;
	record->runtime = runtime;
	record->module = NONE;
	record->pid = pid;
	record->tid = pid;
	read_comm(record->comm);
	ewapa_phase(record, ctx);
}

/* Attached to nothing: user space runs it when it has looked into a process, before that goes on. */
SEC("raw_tp/process_known")
int process_known(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = ctx->args[KNOWN_PID], zero = 0;
	__s64 runtime = ctx->args[KNOWN_RUNTIME];
	struct life *life = bpf_map_lookup_elem(&lives, &pid);
	struct process *process = bpf_map_lookup_elem(&processes, &pid);
	struct call *record = bpf_map_lookup_elem(&phase_record, &zero);

	if (process)
		process->runtime = runtime;
	/* Threads look again at what they hold of their process. */
	__sync_fetch_and_add(&generation, 1);
	if (!phases)
		return 0;
	/* One that is not held may have begun before the probes of its runtime were there. */
	if (ctx->args[KNOWN_RAN_BEFORE] || (follows_all && life && life->exec < ctx->args[KNOWN_PROBED])) {
		struct life before = { .reached = 1u << PHASE_EXEC | 1u << PHASE_START | 1u << PHASE_FIRST_WASI };

		if (bpf_map_update_elem(&lives, &pid, &before, BPF_ANY))
			count(COUNT_LIVES);
		return 0;
	}
	if (!life)
		return 0;
	if (life->stopped) {
		life->held += bpf_ktime_get_ns() - life->stopped;
		life->stopped = 0;
	}
	if (runtime == NONE || !record)
		return 0;
	if (__sync_fetch_and_or(&life->reached, 1u << PHASE_EXEC) & 1u << PHASE_EXEC)
		return 0;
	record->phase = PHASE_EXEC;
	record->phase_duration = NONE;
	record->elapsed_exec = 0;
	record->runtime = runtime;
	record->module = ctx->args[KNOWN_MODULE];
	record->pid = pid;
	record->tid = pid;
	__builtin_memcpy(record->comm, life->comm, sizeof(life->comm));
	ewapa_phase(record, ctx);
	return 0;
}
