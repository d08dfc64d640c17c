/* Calls of Go programs. They belong to goroutines, which go on on any thread and whose stacks move: the record of a
 * goroutine is kept by the address of its g, which Go has in r14 where its functions begin and where they return. It is
 * made at the first call and goes with the goroutine or its process.
 */
#pragma once

struct goroutine {
	__u64 g;
	__u32 pid;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct goroutine);
	__type(value, struct thread);
} goroutines SEC(".maps");

/* The processes with such records: how their threads tell which goroutine they work for. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct running);
} goroutine_hosts SEC(".maps");

/* The probes are being taken off: where only that at the return is left, calls end whose begin nobody has seen. */
__u32 letting_go;

/* Offset of stack.hi in a g: the end of its stack, which begins there. */
#define G_STACK_END 8

/* The stack pointer as it would be if each stack began at this address: so it stays what it is when the stack moves. */
#define STACK_END (1ull << 46)

static __always_inline __u64 stack_place(struct pt_regs *ctx, bool goroutine)
{
	return goroutine ? STACK_END - (read_u64(ctx->r14 + G_STACK_END) - ctx->sp) : ctx->sp;
}

__noinline int drop_abandoned_of_goroutine(struct thread *record, __u64 place)
{
	return record ? drop_below(record, place, 1) : 0;
}

static __always_inline void drop_left(struct thread *thread, __u64 sp, bool goroutine)
{
	if (goroutine)
		drop_abandoned_of_goroutine(thread, sp);
	else
		drop_abandoned(thread, sp);
}

static __always_inline struct thread *known_goroutine(__u64 g)
{
	struct goroutine key = { .g = g, .pid = bpf_get_current_pid_tgid() >> 32 };

	return bpf_map_lookup_elem(&goroutines, &key);
}

static __always_inline struct thread *new_goroutine(__u64 g)
{
	struct goroutine key = { .g = g, .pid = bpf_get_current_pid_tgid() >> 32 };
	struct running running = image.running;

	/* Without it nobody would take the record away. */
	if (!bpf_map_lookup_elem(&goroutine_hosts, &key.pid) &&
	    bpf_map_update_elem(&goroutine_hosts, &key.pid, &running, BPF_ANY))
		return 0;
	bpf_map_update_elem(&goroutines, &key, &no_thread, BPF_NOEXIST);
	return bpf_map_lookup_elem(&goroutines, &key);
}

/* From now on the system calls of this process are told by the programs for goroutines. */
static __always_inline void tell_by_goroutines(struct thread *thread)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = bpf_map_lookup_elem(&processes, &pid);

	if (!process || process->quiet != QUIET_NOT)
		return;
	process->quiet = QUIET_GOROUTINES;
	thread->quiet = QUIET_GOROUTINES;
	__sync_fetch_and_add(&generation, 1);
}

/* The record of a goroutine that makes a call on this thread; 0, and counted, if there is no room. */
static __always_inline struct thread *goroutine_record(struct thread *thread, __u64 g)
{
	struct thread *record = known_goroutine(g);

	if (!record) {
		record = new_goroutine(g);
		if (!record) {
			count(COUNT_NO_THREAD);
			return 0;
		}
	}
	record->module = thread->module;
	record->runtime = thread->runtime;
	/* Again if user space has found something new in it. */
	if (thread->quiet == QUIET_NOT)
		tell_by_goroutines(thread);
	return record;
}

static __always_inline void close_goroutine(struct thread *record)
{
	for (int i = 0; i < MAX_DEPTH && record->depth; i++)
		close_unfinished(record, &record->open[(record->depth - 1) & (MAX_DEPTH - 1)], 0);
	record->depth = 0;
}

/* A goroutine ends. Its g will be another one's. */
static __always_inline int end_goroutine(__u64 g)
{
	struct goroutine key = { .g = g, .pid = bpf_get_current_pid_tgid() >> 32 };
	struct thread *record = bpf_map_lookup_elem(&goroutines, &key);

	if (record) {
		close_goroutine(record);
		bpf_map_delete_elem(&goroutines, &key);
	}
	return 1;
}

static long end_if_of(void *map, struct goroutine *key, struct thread *record, __u32 *pid)
{
	if (key->pid == *pid) {
		close_goroutine(record);
		bpf_map_delete_elem(map, key);
	}
	return 0;
}

/* A process ends, or has a new program. */
__noinline int end_goroutines(__u32 pid)
{
	if (!bpf_map_delete_elem(&goroutine_hosts, &pid))
		bpf_for_each_map_elem(&goroutines, end_if_of, &pid, 0);
	return 0;
}

static __always_inline struct running *goroutine_host(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&goroutine_hosts, &pid);
}

/* The record of the goroutine that this thread works for, if it has made a call; also while the scheduler runs for it. */
static __always_inline struct thread *running_goroutine(struct running *running)
{
	__u64 fs = 0, address;

	bpf_probe_read_kernel(&fs, sizeof(fs), (void *)((__u64)bpf_get_current_task() + fs_offset));
	/* A thread that is just being made has none yet; a thread of C code neither. */
	if (bpf_probe_read_user(&address, sizeof(address), (void *)(fs + running->tls)) || !address ||
	    bpf_probe_read_user(&address, sizeof(address), (void *)(address + running->m)) || !address ||
	    bpf_probe_read_user(&address, sizeof(address), (void *)(address + running->curg)) || !address)
		return 0;
	return known_goroutine(address);
}
