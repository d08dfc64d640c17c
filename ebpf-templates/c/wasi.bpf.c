/* The life cycle of a WASI call: entry, the system calls inside, return, or the end of its thread.
 *
 * A thread has a small stack of open calls in task storage. An entry probe opens a call, a return
 * probe closes it and hands it to the script. What the script does with a call is generated code:
 * ewapa_enter decides at entry whether the call is of interest, ewapa_leave takes the completed one.
 * What a script does at other events than calls is ewapa_event.
 */
#include "kernel.h"
#include "shared.h"
#include "call.h"

#define MAX_DEPTH 4
#define COMM_LEN 16

#define READS_WATCHED (READS_WATCHED_0 | READS_WATCHED_1 | READS_WATCHED_2 | READS_WATCHED_3)

/* Stack frames nearer to each other than this belong to one stack. */
#define ONE_STACK (256 * 1024)

char LICENSE[] SEC("license") = "GPL";

/* Set before the programs are loaded; the verifier removes what they switch off. */
const volatile __u64 script_reads;      /* READS_* of the builtins that the script reads */
const volatile __u8 always_returns;     /* the return probe fires whatever the entry probe said */
const volatile __u32 tgid_offset;       /* of tgid in struct task_struct */
const volatile __u32 pid_offset;        /* of pid, the thread, in struct task_struct */
const volatile __u32 signal_offset;     /* of signal in struct task_struct */
const volatile __u32 live_offset;       /* of live in struct signal_struct */
const volatile __u32 parent_offset;     /* of real_parent in struct task_struct */
const volatile __u32 fs_offset;         /* of thread.fsbase in struct task_struct; 0 if this kernel has none */
const volatile __u8 all_processes;      /* raw probes fire in every process */
const volatile __u8 follows_all;        /* WASI calls of every process count, also of those that begin later */
const volatile __u64 started;           /* when the script started: ns, CLOCK_MONOTONIC */
const volatile __u8 keeps_calls;        /* calls that no clause wants are followed, too: events inside ask for them */
const volatile __u8 syscall_events;     /* each system call is an event */
const volatile __u8 phases;             /* each phase is an event */
const volatile __u8 books_handed;       /* system calls of threads that work for a call are booked to it */
const volatile __u8 task_storage;       /* the kernel keeps the records of threads with their tasks */
const volatile __u8 may_sleep;          /* programs at calls may wait for memory that is not there yet */
const volatile __u32 watched[WATCHED];  /* the system calls that are counted in each call */

/* Each file with probes has programs of its own, with another map in the place of this section. As it stands here it needs
 * the most. */
const volatile struct image image SEC(".rodata.image") = {
	.abis = {
		{ .args = ARGS_CAPTURED, .errno_at = ERRNO_CELL, .valid = VALID_NONZERO, .memory = MEMORY_SEARCH },
		{ .args = ARGS_REGISTERS, .errno_at = ERRNO_RETURN, .valid = VALID_ZERO, .memory = MEMORY_INDIRECT },
	},
	.count = 2,
	.roles = 0xff,
};

/* Changes when what is known of a process does. */
__u32 generation;

/* A call that has not returned yet. */
struct open_call {
	struct call call;
	__u64 start;     /* ns, CLOCK_MONOTONIC */
	__u64 sp;        /* the stack pointer at entry: it points at the return address */
	__u64 cells;     /* the address of the argument array, if the ABI has one */
	__u64 memory;    /* what leads to guest memory, as the ABI has it */
	__u64 moved;     /* the argument that says how many bytes moved */
	__u64 registers[8]; /* the first six hold the arguments of ARGS_REGISTERS */
	__u64 handed;    /* its key in the map of this name; 0 if it has handed nothing over */
	__u64 other;     /* path_open: where it tells the new descriptor; fd_renumber: the other descriptor */
	__u32 fd;        /* the descriptor that the call closes */
	__u8 abi;
	__u8 named;      /* the WASI function is known */
	__u8 ignored;    /* the script does not want it */
	__u8 moved_arg;
	__u8 uncounted;  /* it measures what a probe costs */
	__u8 may_move;   /* another thread finds it, too */
	__u8 left_behind; /* the thread on which it began has ended */
};

/* Only threads of traced processes have one. */
struct thread {
	__s64 module;
	__s64 runtime;        /* NONE if none was found in its process */
	__u32 known;          /* the generation, plus 1, of what it holds of its process; 0 for nothing */
	__u32 depth;
	__u8 quiet;           /* enum quiet */
	__u8 wasi_seen;       /* it has made a WASI call */
	__u64 syscall;        /* the number of the system call that it is in */
	__u64 syscall_start;  /* 0 outside of system calls */
	__u64 syscall_since;  /* the same for one that the programs for goroutines tell of */
	__u64 switched_off;   /* since when it does not run; 0 if it runs, or if it is in no call */
	struct call event;    /* a system call, or a phase */
	struct open_call open[MAX_DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct thread);
} threads SEC(".maps");

#include "thread_by_id.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* For each CPU, and still added to atomically: a probe may be preempted by another one. Generated code
 * adds to it, too, and declares it in the same words: the linker compares them. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
} counters SEC(".maps");

/* Calls that never returned, by function. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FUNCTIONS);
	__type(key, __u32);
	__type(value, __u64);
} unfinished SEC(".maps");

/* The last number of a call, for each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} call_ids SEC(".maps");

/* MEMORY_SEARCH: for each image and function where the pointer was found, as search_memory has it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_IMAGES * 64);
	__type(key, __u32);
	__type(value, __u32);
} memory_offsets SEC(".maps");

/* Generated from the script. All get a struct call, and the program's context. */
extern int ewapa_enter(void *call, void *ctx);
extern int ewapa_leave(void *call, void *ctx);
extern int ewapa_syscall(void *call, void *ctx);
extern int ewapa_phase(void *call, void *ctx);
extern int ewapa_event(void *call, void *ctx, __u64 clause);

/* What a clause gets that waits for something else than a call: it has no value. */
static const struct call no_call = {
	.func = NONE,
	.runtime = NONE,
	.module = NONE,
	.fd = NONE,
	.errno = NONE,
	.ok = NONE,
	.bytes = NONE,
	.bytes_req = NONE,
	.iovs = NONE,
	.wasi_func = NONE,
	.wasi_duration = NONE,
};

static __always_inline void tally_by(__u32 which, __u64 by)
{
	__u64 *counter = bpf_map_lookup_elem(&counters, &which);

	if (counter)
		__sync_fetch_and_add(counter, by);
}

static __always_inline void tally(__u32 which)
{
	tally_by(which, 1);
}

/* For what is rare: a function that is not static is verified once and not at each of its calls. */
__noinline int count(__u32 which)
{
	tally(which);
	return 0;
}

__noinline int count_unfinished_of(__u32 func)
{
	__u64 *counter = bpf_map_lookup_elem(&unfinished, &func);

	if (counter)
		__sync_fetch_and_add(counter, 1);
	return 0;
}

static __always_inline struct thread *known_thread(void)
{
	if (!task_storage)
		return thread_by_id(bpf_get_current_pid_tgid());
	return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0, 0);
}

#include "threads.h"
#include "moves.h"

static __always_inline void count_unfinished(struct open_call *open)
{
	if (open->named && !open->ignored)
		count_unfinished_of(open->call.func);
}

/* Takes the innermost call off the stack without a return. It may still return elsewhere, if `goes_on`. */
static __always_inline void close_unfinished(struct thread *thread, struct open_call *open, bool goes_on)
{
	if (sees_exits) {
		if (drop_stale(thread, open))
			return;
		if (goes_on)
			leave_behind(open);
		else
			keep_here(open);
	}
	count_unfinished(open);
	count(COUNT_RETURNS);
	if (books_handed && open->handed)
		take_back(open);
	thread->depth--;
}

/* The name of the current thread. Up to Linux 6.1 the kernel leaves what is behind its end as it was, and texts are
 * compared as a whole. */
static __always_inline void read_comm(char *comm)
{
	__builtin_memset(comm, 0, COMM_LEN);
	bpf_get_current_comm(comm, COMM_LEN);
}

/* The probes of the image tell of WASI calls, and do not only measure. */
#define NAMES_CALLS (image.roles & (1u << ROLE_CALL | 1u << ROLE_NAME))

/* Whether a probe has this role, if the image has probes of it. */
static __always_inline bool has_role(const struct cookie *cookie, enum role role)
{
	return (image.roles & 1u << role) && (image.roles == 1u << role || cookie->role == role);
}

/* An ABI of the image. Its address has to be a constant on each path, as then its contents are. */
static __always_inline const volatile struct abi *abi_at(__u8 index)
{
	const volatile struct abi *abi = &image.abis[0];

#pragma unroll
	for (__u8 other = 1; other < IMAGE_ABIS; other++) {
		if (image.count > other && index == other) {
			abi = &image.abis[other];
			asm volatile("" : "+r"(abi));
		}
	}
	return abi;
}

/* The record of the current thread if its process is traced. */
static __always_inline struct thread *traced_thread(void)
{
	struct thread *thread = known_thread();

	if (!thread || thread->known != generation + 1) {
		__u32 pid = bpf_get_current_pid_tgid() >> 32;
		struct process *process = bpf_map_lookup_elem(&processes, &pid);

		if (!process && !follows_all)
			return 0;
		if (!thread)
			thread = task_storage ? bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0,
								     BPF_LOCAL_STORAGE_GET_F_CREATE) :
						new_thread_by_id();
		if (!thread) {
			count(COUNT_NO_THREAD);
			return 0;
		}
		/* One that user space has not looked into yet is asked for again. */
		thread->known = process ? generation + 1 : 0;
		thread->module = process ? process->module : NONE;
		thread->runtime = process ? process->runtime : NONE;
		thread->quiet = process ? process->quiet : QUIET_NOT;
	}
	return thread;
}

/* The verifier wants the context to be read at constant offsets; clang would merge the reads of several
 * cases into one at a computed address. */
#define READ_REGISTER(ctx, name)                                                                   \
	({                                                                                         \
		__u64 value;                                                                       \
		asm volatile("%0 = *(u64 *)(%1 + %2)"                                              \
			     : "=r"(value)                                                         \
			     : "r"(ctx), "i"(__builtin_offsetof(struct pt_regs, name)));           \
		value;                                                                             \
	})

static __always_inline __u64 argument_register(struct pt_regs *ctx, __u8 index)
{
	switch (index) {
	case 0: return READ_REGISTER(ctx, di);
	case 1: return READ_REGISTER(ctx, si);
	case 2: return READ_REGISTER(ctx, dx);
	case 3: return READ_REGISTER(ctx, cx);
	case 4: return READ_REGISTER(ctx, r8);
	default: return READ_REGISTER(ctx, r9);
	}
}

/* Returns 0 if memory of the process could be read. What nobody has touched yet is not there without a
 * fault: the guest's constants, as a rule, before the host reads them. */
static __always_inline long read_user(void *to, __u32 size, const void *from)
{
	long failed = bpf_probe_read_user(to, size, from);

	return failed && may_sleep ? bpf_copy_from_user(to, size, from) : failed;
}

static __noinline __u64 read_u64(__u64 address)
{
	__u64 value = 0;

	if (read_user(&value, sizeof(value), (void *)address))
		count(COUNT_NO_MEMORY);
	return value;
}

/* The WASI argument `index` of a call. For ARGS_REGISTERS `ctx` is that of the call's own probe; in the function that
 * names the call registers hold something else, and those of the envelope were kept. */
static __always_inline __u64 argument(struct pt_regs *ctx, const volatile struct abi *abi, struct open_call *open, __u8 index,
				      bool kept)
{
	__u8 reg = abi->args_reg + index;

	if (abi->args != ARGS_REGISTERS)
		return read_u64(open->cells + index * abi->stride);
	if (reg < 6)
		return kept ? open->registers[reg & 7] : argument_register(ctx, reg);
	return read_u64(open->sp + 8 + 8 * (reg - 6));
}

/* Whether { 0, base, length } is at this address, with a length of whole WebAssembly pages: the guest
 * memory that a function of the wiggle family carries with it. */
static __always_inline bool is_memory(__u64 address)
{
	__u64 found[3];

	if (address < 4096 || bpf_probe_read_user(found, sizeof(found), (void *)address))
		return 0;
	return found[0] == 0 && found[1] >= 4096 && found[2] && !(found[2] & 0xffff) && found[2] <= 1ull << 32;
}

struct memory_search {
	__u64 state;   /* the address of the structure */
	__u32 found;   /* as find_memory tells it */
};

static long seek_memory(__u32 word, struct memory_search *search)
{
	__u64 at;

	if (bpf_probe_read_user(&at, sizeof(at), (void *)(search->state + word * 8)))
		return 1;
	if (!is_memory(at))
		return 0;
	search->found = word * 8 + 8;
	return 1;
}

/* The offset, plus 8, at which a structure has a pointer to guest memory's description; 1 if it is that itself;
 * 0 if neither. The runtime has just written both, so they are there without a fault; and as nothing here may
 * sleep the function need not be static, which spares the verifier half of its work: it is checked once. */
__noinline __u32 find_memory(__u64 state)
{
	struct memory_search search = { .state = state };

	if (is_memory(state))
		return 1;
	bpf_loop(256 / 8, seek_memory, &search, 0);
	return search.found;
}

/* Flags beside the offset: in what the first or the third register leads to, and not the second. */
#define IN_FIRST 0x10000
#define IN_THIRD 0x20000

/* The address of guest memory's description, by what a naming function was given. Its state is the second
 * argument; the first where the function returns what fits into registers. A plain method that returns more
 * than that has it as the third, behind the place for what it returns and itself. */
static __always_inline __u64 search_memory(__u64 first, __u64 second, __u64 third, __u8 func)
{
	__u32 slot = image.number * 64 + (func & 63);
	__u32 *known = bpf_map_lookup_elem(&memory_offsets, &slot);
	__u32 found = known ? *known : 0;

	if (!found) {
		found = find_memory(second);
		if (!found) {
			found = find_memory(first);
			if (found)
				found |= IN_FIRST;
		}
		if (!found) {
			found = find_memory(third);
			if (!found)
				return 0;
			found |= IN_THIRD;
		}
		if (known)
			*known = found;
	}
	if (found & IN_FIRST)
		second = first;
	else if (found & IN_THIRD)
		second = third;
	found &= ~(IN_FIRST | IN_THIRD);
	return found == 1 ? second : read_u64(second + found - 8);
}

/* What wasmtime's contexts begin with: "core". */
#define CONTEXT_MAGIC 0x65726f63

/* The address of the context of the instance that calls; 0, and counted, if it is not where it should be. */
static __always_inline __u64 calling_context(struct pt_regs *ctx, const volatile struct abi *abi)
{
	__u64 context = READ_REGISTER(ctx, bx);
	__u64 variable = read_u64(argument_register(ctx, abi->args_reg) + abi->memory_more[1]);
	__u32 magic, found, wanted;

	if (!bpf_probe_read_user(&magic, sizeof(magic), (void *)context) && magic == CONTEXT_MAGIC &&
	    !bpf_probe_read_user(&found, sizeof(found), (void *)(context + (__s16)abi->memory_more[0])) &&
	    !bpf_probe_read_user(&wanted, sizeof(wanted), (void *)variable) && found == wanted)
		return context;
	count(COUNT_NO_MEMORY);
	return 0;
}

/* MEMORY_STORE: the address of a memory's description, less 8 as search_memory has it, by way of the store that
 * `context` leads to; 0 if there is none. A layout that is another one than the catalogue says does not pass: the only
 * memory's object has the base a second time. */
static __noinline __u64 memory_in_store(__u64 context, const volatile struct abi *abi)
{
	__u64 store, list[2], object, description, base, found[2];

	if (!abi || bpf_probe_read_user(&store, sizeof(store), (void *)context) ||
	    bpf_probe_read_user(list, sizeof(list), (void *)(store + abi->memory_off)) || list[1] != 1 ||
	    bpf_probe_read_user(&object, sizeof(object), (void *)list[0]) ||
	    bpf_probe_read_user(&description, sizeof(description), (void *)(object + abi->memory_more[0])) ||
	    bpf_probe_read_user(&base, sizeof(base), (void *)(object + abi->memory_more[1])) ||
	    bpf_probe_read_user(found, sizeof(found), (void *)description))
		return 0;
	if (found[0] != base || base < 4096 || base & 4095 || !found[1] || found[1] & 0xffff || found[1] > 1ull << 32)
		return 0;
	return description - 8;
}

#include "arguments.h"
#include "phases.h"

static __always_inline void keep_registers(struct pt_regs *ctx, struct open_call *open)
{
	open->registers[0] = READ_REGISTER(ctx, di);
	open->registers[1] = READ_REGISTER(ctx, si);
	open->registers[2] = READ_REGISTER(ctx, dx);
	open->registers[3] = READ_REGISTER(ctx, cx);
	open->registers[4] = READ_REGISTER(ctx, r8);
	open->registers[5] = READ_REGISTER(ctx, r9);
}

/* A number that no other call of the run has. */
static __always_inline __u64 new_call_id(void)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&call_ids, &zero);

	if (!last)
		return 0;
	return (__u64)bpf_get_smp_processor_id() << 48 | (__sync_fetch_and_add(last, 1) + 1);
}

/* The function of a call is known: read the arguments that the script needs, and ask it. */
static __always_inline void name_call(struct pt_regs *ctx, struct thread *thread, struct open_call *open,
				      const volatile struct abi *abi, struct cookie *cookie)
{
	open->named = 1;
	open->call.func = cookie->func;
	open->call.fd = NONE;
	if ((script_reads & READS_FD) && cookie->fd_arg != NO_ARG && abi->args != ARGS_UNKNOWN)
		open->call.fd = (__s32)argument(ctx, abi, open, cookie->fd_arg, cookie->role == ROLE_NAME);
	open->moved_arg = cookie->moved_arg;
	if ((script_reads & READS_BYTES) && cookie->moved_arg != NO_ARG && abi->args != ARGS_UNKNOWN)
		open->moved = argument(ctx, abi, open, cookie->moved_arg & ~BY_VALUE,
				       cookie->role == ROLE_NAME);
	if (script_reads & READS_DESCRIPTION)
		describe(open, abi);
	if (script_reads & READS_CALL_ID)
		open->call.call_id = new_call_id();
	if (script_reads & READS_WASI_FUNC)
		open->call.wasi_func = cookie->func;
	if (phases && !thread->wasi_seen) {
		thread->wasi_seen = 1;
		reach_by_thread(ctx, thread, PHASE_FIRST_WASI, open->call.runtime);
	}
	open->ignored = !ewapa_enter(&open->call, ctx);
}

/* Calls whose stack frames lie below `sp` on the same stack have been left without a return. */
static __always_inline int drop_below(struct thread *thread, __u64 sp, bool goroutine)
{
	for (int i = 0; i < MAX_DEPTH; i++) {
		struct open_call *open;

		if (!thread->depth)
			break;
		open = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)];
		/* A goroutine has one stack, however large. */
		if (open->sp > sp || (!goroutine && sp - open->sp > ONE_STACK))
			break;
		/* In Go proc_exit leaves by a panic. */
		if (!goroutine || !open->named || open->call.func != FUNC_PROC_EXIT)
			count(COUNT_ABANDONED);
		close_unfinished(thread, open, 0);
	}
	return 0;
}

__noinline int drop_abandoned(struct thread *thread, __u64 sp)
{
	return thread ? drop_below(thread, sp, 0) : 0;
}

#include "goroutines.h"

static __always_inline __s64 cookie_runtime(struct cookie *cookie)
{
	return cookie->runtime[0] | cookie->runtime[1] << 8 | cookie->runtime[2] << 16;
}

/* Returns 0 if the return of the function is wanted, else 1, as a session program does. `goroutine` is a constant. */
static __always_inline int enter(struct pt_regs *ctx, bool goroutine)
{
	__u64 raw = bpf_get_attach_cookie(ctx);
	struct cookie *cookie = (struct cookie *)&raw;
	struct thread *thread = traced_thread();
	const volatile struct abi *abi;
	struct open_call *open;

	if (!thread)
		return 1;
	if (phases && has_role(cookie, ROLE_START)) {
		reach_by_thread(ctx, thread, PHASE_START, cookie_runtime(cookie));
		return 1;
	}
	if (goroutine) {
		if (has_role(cookie, ROLE_END))
			return end_goroutine(ctx->r14);
		/* What names a call that found no room has none either. */
		thread = has_role(cookie, ROLE_NAME) ? known_goroutine(ctx->r14) : goroutine_record(thread, ctx->r14);
		if (!thread)
			return 1;
	}
	if (has_role(cookie, ROLE_NAME)) {
		if (!thread->depth) {
			count(COUNT_UNMATCHED);
			return 1;
		}
		open = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)];
		if (!open->named) {
			abi = abi_at(open->abi);
			if (abi->memory == MEMORY_SEARCH && wants_memory(cookie)) {
				open->memory = search_memory(ctx->di, ctx->si, ctx->dx, cookie->func);
			} else if (abi->memory == MEMORY_STORE && wants_memory(cookie)) {
				open->memory = memory_in_store(ctx->si, abi);
				if (!open->memory)
					open->memory = memory_in_store(ctx->di, abi);
			}
			name_call(ctx, thread, open, abi, cookie);
			if (!goroutine && sees_exits)
				let_move(open);
		}
		return 1;
	}
	/* What a probe costs that only names a call. */
	if (has_role(cookie, ROLE_CALIBRATION) && cookie->func != NO_FUNC)
		return 1;

	if (!goroutine && sees_exits && thread->depth)
		drop_moved(thread);
	if (thread->depth)
		drop_left(thread, stack_place(ctx, goroutine), goroutine);
	if (thread->depth >= MAX_DEPTH) {
		count(COUNT_DEEP);
		return 1;
	}
	open = &thread->open[thread->depth & (MAX_DEPTH - 1)];
	abi = abi_at(cookie->abi);
	open->abi = cookie->abi;
	open->sp = stack_place(ctx, goroutine);
	open->named = 0;
	open->ignored = 0;
	open->moved_arg = NO_ARG;
	open->call.runtime = cookie_runtime(cookie);
	open->call.module = thread->module;
	if (script_reads & READS_DEPTH)
		open->call.depth = thread->depth;
	if (abi->args == ARGS_REGISTERS &&
	    ((script_reads & READS_DESCRIPTION) ||
	     (cookie->role == ROLE_ENVELOPE && (script_reads & (READS_FD | READS_BYTES)))))
		keep_registers(ctx, open);
	if (script_reads & (READS_PID | READS_TID)) {
		__u64 id = bpf_get_current_pid_tgid();

		open->call.pid = id >> 32;
		open->call.tid = (__u32)id;
	}
	if (script_reads & READS_COMM)
		read_comm(open->call.comm);
	if (abi->args == ARGS_ARRAY)
		open->cells = argument_register(ctx, abi->args_reg);
	else if (abi->args == ARGS_INDIRECT)
		open->cells = read_u64(argument_register(ctx, abi->args_reg));
	else if (abi->args == ARGS_CAPTURED)
		open->cells = read_u64(read_u64(argument_register(ctx, abi->args_reg) + abi->args_off));
	if (abi->memory == MEMORY_REGISTER || abi->memory == MEMORY_INDIRECT)
		open->memory = argument_register(ctx, abi->memory_reg);
	else if (abi->memory == MEMORY_CONTEXT && wants_memory(cookie))
		open->memory = calling_context(ctx, abi);
	else
		open->memory = 0;
	if (has_role(cookie, ROLE_CALL))
		name_call(ctx, thread, open, abi, cookie);
	if (open->ignored && !goroutine && !always_returns && !(keeps_calls && cookie->func < FUNCTIONS) &&
	    !changes_descriptors(cookie->func))
		return 1;

	open->uncounted = has_role(cookie, ROLE_CALIBRATION);
	if (!open->uncounted)
		tally(COUNT_ENTRIES);
	open->call.syscall_count = 0;
	open->call.syscall_time = 0;
	open->call.syscall_bytes = 0;
	if (script_reads & READS_WATCHED) {
		open->call.watched_0 = 0;
		open->call.watched_1 = 0;
		open->call.watched_2 = 0;
		open->call.watched_3 = 0;
	}
	if (script_reads & READS_OFFCPU_TIME) {
		open->call.offcpu_time = 0;
		thread->switched_off = 0;
	}
	if (script_reads & READS_THREAD_HOPS)
		open->call.thread_hops = 0;
	if (books_handed)
		begin_alone(open);
	thread->depth++;
	open->start = bpf_ktime_get_ns();
	if (!goroutine && sees_exits)
		let_move(open);
	return 0;
}

/* The errno of a call that has returned; NONE if it trapped or the runtime does not say. */
static __always_inline __s64 returned_errno(struct pt_regs *ctx, const volatile struct abi *abi, struct open_call *open)
{
	__u32 cell;

	if (abi->valid == VALID_NONZERO && !(ctx->ax & 0xff))
		return NONE;
	if (abi->valid == VALID_ZERO && ctx->ax)
		return NONE;
	if (abi->errno_at == ERRNO_RETURN)
		return ctx->ax & 0xffff;
	if (abi->errno_at == ERRNO_CELL) {
		if (!bpf_probe_read_user(&cell, sizeof(cell), (void *)open->cells))
			return cell;
		count(COUNT_NO_MEMORY);
	}
	return NONE;
}

/* How many bytes a call moved; NONE if its function does not move any or that cannot be told. */
static __always_inline __s64 moved_bytes(const volatile struct abi *abi, struct open_call *open)
{
	__u64 address;
	__u32 moved;

	if (open->moved_arg == NO_ARG || open->call.errno == NONE || abi->args == ARGS_UNKNOWN)
		return NONE;
	if (open->call.errno)
		return 0;
	if (open->moved_arg & BY_VALUE)
		return (__u32)open->moved;
	address = guest_address(abi, open, open->moved);
	if (!address)
		return NONE;
	if (bpf_probe_read_user(&moved, sizeof(moved), (void *)address)) {
		count(COUNT_NO_MEMORY);
		return NONE;
	}
	return moved;
}

static __always_inline void complete(struct pt_regs *ctx, struct open_call *open, __u64 now)
{
	const volatile struct abi *abi = abi_at(open->abi);
	struct call *call = &open->call;

	/* proc_exit does not return to the guest. Where its host function returns, that is the runtime unwinding. */
	if (call->func == FUNC_PROC_EXIT) {
		count_unfinished(open);
		return;
	}
	call->duration = now - open->start;
	call->self_time = call->duration > call->syscall_time ? call->duration - call->syscall_time : 0;
	if (script_reads & (READS_ERRNO | READS_OK | READS_BYTES)) {
		call->errno = returned_errno(ctx, abi, open);
		call->ok = call->errno == NONE ? NONE : call->errno == 0;
	}
	if (script_reads & READS_BYTES)
		call->bytes = moved_bytes(abi, open);
	ewapa_leave(call, ctx);
}

/* The place, from 1, of the innermost open call that began with this stack pointer; 0 if there is none. On
 * a thread that switches between stacks calls may end in another order than that in which they began. */
static __always_inline __u32 find_open(struct thread *thread, __u64 sp)
{
	for (__u32 below = 0; below < MAX_DEPTH; below++) {
		__u32 place = thread->depth - below;

		if (below >= thread->depth)
			break;
		if (thread->open[(place - 1) & (MAX_DEPTH - 1)].sp == sp)
			return place;
	}
	return 0;
}

/* Takes an open call off the stack that is not the innermost one. */
__noinline int close_below(struct thread *thread, __u32 place)
{
	if (!thread)
		return 0;
	for (int i = 0; i < MAX_DEPTH - 1; i++) {
		if (place >= thread->depth)
			break;
		/* An assignment would be a hundred instructions, in each round. */
		bpf_probe_read_kernel(&thread->open[(place - 1) & (MAX_DEPTH - 1)], sizeof(struct open_call),
				      &thread->open[place & (MAX_DEPTH - 1)]);
		place++;
	}
	return 0;
}

/* A call has ended that began with this stack pointer. */
static __always_inline int leave_at(struct pt_regs *ctx, struct thread *thread, __u64 sp, __u64 now, bool goroutine)
{
	struct open_call *open;
	__u32 place;

	if (!thread)
		return 0;
	if (thread->depth > 1)
		drop_left(thread, sp - 8, goroutine);
	place = find_open(thread, sp);
	if (!goroutine && sees_exits) {
		place = settle(thread, place, sp);
		if (!place)
			return 0;
	}
	if (!place) {
		if (!goroutine || !letting_go)
			count(COUNT_UNMATCHED);
		return 0;
	}
	open = &thread->open[(place - 1) & (MAX_DEPTH - 1)];
	if (books_handed && open->handed)
		take_back(open);
	/* What happened inside happened inside the call around it, too. */
	if (place > 1) {
		struct open_call *outer = &thread->open[(place - 2) & (MAX_DEPTH - 1)];

		outer->call.syscall_count += open->call.syscall_count;
		outer->call.syscall_time += open->call.syscall_time;
		outer->call.syscall_bytes += open->call.syscall_bytes;
		if (script_reads & READS_WATCHED) {
			outer->call.watched_0 += open->call.watched_0;
			outer->call.watched_1 += open->call.watched_1;
			outer->call.watched_2 += open->call.watched_2;
			outer->call.watched_3 += open->call.watched_3;
		}
		if (script_reads & READS_OFFCPU_TIME)
			outer->call.offcpu_time += open->call.offcpu_time;
		if (script_reads & READS_THREAD_HOPS)
			outer->call.thread_hops += open->call.thread_hops;
		if (books_handed)
			add_handed(&outer->call, &open->call);
	}
	if (open->named && changes_descriptors(open->call.func)) {
		const volatile struct abi *abi = abi_at(open->abi);

		if (returned_errno(ctx, abi, open) == 0)
			follow_descriptor(open, abi);
	}
	if (NAMES_CALLS && open->named && !open->ignored)
		complete(ctx, open, now);
	if (!open->uncounted)
		tally(COUNT_RETURNS);
	if (place < thread->depth)
		close_below(thread, place);
	thread->depth--;
	return 0;
}

static __always_inline int leave(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns();

	/* The return has popped its address. */
	return leave_at(ctx, known_thread(), ctx->sp - 8, now, 0);
}

/* One program for entry and return. At entry the instruction pointer is the probe's address, at
 * return it is the address that the function returns to (kernel/events/uprobes.c). */
SEC("uprobe/session")
int wasi_session(struct pt_regs *ctx)
{
	if (ctx->ip == bpf_get_func_ip(ctx))
		return enter(ctx, 0);
	return leave(ctx);
}

SEC("uprobe/entry")
int wasi_entry(struct pt_regs *ctx)
{
	enter(ctx, 0);
	return 0;
}

SEC("uprobe/return")
int wasi_return(struct pt_regs *ctx)
{
	return leave(ctx);
}

/* Attached to nothing: user space runs it before it takes the probes off Go programs. */
SEC("raw_tp/goroutines_let_go")
int goroutines_let_go(struct bpf_raw_tracepoint_args *ctx)
{
	(void)ctx;
	letting_go = 1;
	return 0;
}

/* At a return instruction. A thread that a call has moved to may have made none itself. */
SEC("uprobe/exit")
int wasi_exit(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns();

	return leave_at(ctx, traced_thread(), ctx->sp, now, 0);
}

/* The same in Go programs. */
SEC("uprobe/goroutine_entry")
int goroutine_entry(struct pt_regs *ctx)
{
	enter(ctx, 1);
	return 0;
}

SEC("uprobe/goroutine_exit")
int goroutine_exit(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	struct thread *record;

	/* Without a record it has made no call that was seen, or none that found room. */
	record = traced_thread() ? known_goroutine(ctx->r14) : 0;
	if (!record)
		return 0;
	return leave_at(ctx, record, stack_place(ctx, 1), now, 1);
}

#include "syscalls.h"
#include "scheduling.h"
#include "files.h"

static __always_inline void tell(__u32 kind, __u32 pid, __s32 detail)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count(COUNT_NO_EVENT);
		return;
	}
	event->kind = kind;
	event->pid = pid;
	event->detail = detail;
	if (phases && kind != EVENT_EXIT && !follows_all) {
		struct life *life = bpf_map_lookup_elem(&lives, &pid);

		if (life && !life->stopped)
			life->stopped = bpf_ktime_get_ns();
	}
	/* Before the event: user space undoes it with SIGCONT, which also takes back a stop still to come. Not
	 * if it is every process of the machine: shells would take their commands for stopped. */
	if (kind == EVENT_STOPPED || kind == EVENT_FILESYSTEM || (kind != EVENT_EXIT && !follows_all))
		bpf_send_signal(SIGSTOP);
	bpf_ringbuf_submit(event, 0);
}

/* The current process is traced, and user space need not look into it for that. */
static __always_inline void is_runtime(void *ctx, __u32 pid, __s32 runtime)
{
	struct process process = { .module = NONE, .runtime = runtime, .quiet = QUIET_NOT };

	if (bpf_map_update_elem(&processes, &pid, &process, BPF_ANY))
		count(COUNT_PROCESSES);
	/* The name of a module only user space knows: then it tells the phase. */
	if (phases && !(script_reads & READS_MODULE))
		begin_as_runtime(ctx, pid, runtime);
	tell(EVENT_RUNTIME, pid, runtime);
}

/* Where the dynamic linker whose hook was reached has r_debug: the cookie has the distance, and in the lowest bit
 * whether a pointer is there. */
static __always_inline __u64 linker_state_at(struct pt_regs *ctx)
{
	__s64 cookie = bpf_get_attach_cookie(ctx);
	__u64 address = ctx->ip + (cookie >> 1);

	if (cookie & 1)
		bpf_probe_read_user(&address, sizeof(address), (void *)address);
	return address;
}

/* The dynamic linker calls an empty function after each change to what is mapped. r_debug's r_state (at
 * offset 24) is RT_CONSISTENT, 0, when the change is complete. */
SEC("uprobe/library")
int library_loaded(struct pt_regs *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u32 state = 0, one = 1;
	__u64 linker = linker_state_at(ctx);

	if (!follows_all && !bpf_map_lookup_elem(&processes, &pid))
		return 0;
	bpf_probe_read_user(&state, sizeof(state), (void *)(linker + 24));
	if (state)
		return 0;
	if (follows_all) {
		struct walk walk = { .found = FILE_NO_RUNTIME };

		walk_libraries(linker, &walk);
		if (walk.changes)
			return 0;
		if (!walk.unknown) {
			if (walk.found != FILE_NO_RUNTIME && !bpf_map_lookup_elem(&processes, &pid))
				is_runtime(ctx, pid, walk.found);
			return 0;
		}
		/* Not if nobody could let it go. */
		if (walk.holds && !bpf_map_update_elem(&held, &pid, &one, BPF_ANY)) {
			tell(EVENT_STOPPED, pid, 0);
			return 0;
		}
	}
	tell(EVENT_LIBRARY, pid, 0);
	return 0;
}

/* The children of a traced process are traced. */
SEC("raw_tp/sched_process_fork")
int process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 parent = bpf_get_current_pid_tgid() >> 32;
	struct process *process = bpf_map_lookup_elem(&processes, &parent);
	struct process copy;
	__u32 child = 0;

	if (!process || process->quiet == QUIET_ALWAYS)
		return 0;
	bpf_probe_read_kernel(&child, sizeof(child), (void *)(ctx->args[1] + tgid_offset));
	if (child == parent || !child)
		return 0;
	copy = *process;
	/* The child of a Go program has no goroutines: it is about to execute another one. */
	if (copy.quiet == QUIET_GOROUTINES)
		copy.quiet = QUIET_NOT;
	if (bpf_map_update_elem(&processes, &child, &copy, BPF_ANY))
		count(COUNT_PROCESSES);
	return 0;
}

static __always_inline void abandon_calls(struct thread *thread, bool go_on)
{
	for (int i = 0; i < MAX_DEPTH && thread->depth; i++)
		close_unfinished(thread, &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)], go_on);
	thread->depth = 0;
}

/* A process has a new program, where every process is traced. */
static __always_inline void executes(struct bpf_raw_tracepoint_args *ctx, __u32 pid)
{
	int known = program_runtime(ctx->args[2]);
	__u32 device, one = 1;

	if (known == FILE_UNKNOWN) {
		device = unheld_device(ctx->args[2]);
		/* Not if nobody could let it go. */
		if (device && !bpf_map_update_elem(&held, &pid, &one, BPF_ANY))
			tell(EVENT_FILESYSTEM, pid, device);
		else
			tell(EVENT_EXEC, pid, 0);
	} else if (known != FILE_NO_RUNTIME) {
		is_runtime(ctx, pid, known);
	} else if (!bpf_map_delete_elem(&processes, &pid)) {
		tell(EVENT_EXIT, pid, 0);
	}
}

SEC("raw_tp/sched_process_exec")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	/* A thread that is not the first one has the number of the first one now. */
	__u32 before = ctx->args[1];
	struct thread *thread = task_storage ? known_thread() : thread_by_id(before);
	struct process *process = bpf_map_lookup_elem(&processes, &pid);

	if (thread) {
		abandon_calls(thread, 0);
		thread->known = 0;
		thread->runtime = NONE;
		thread->module = NONE;
		thread->wasi_seen = 0;
		if (before != pid)
			forget_thread(before);
	}
	end_goroutines(pid);
	if (!process && !follows_all)
		return 0;
	if (process) {
		process->quiet = QUIET_NOT;
		process->runtime = NONE;
	}
	if (phases)
		begin_life(pid);
	if (follows_all)
		executes(ctx, pid);
	else
		tell(EVENT_EXEC, pid, 0);
	return 0;
}

/* Whether no thread of the task's process is left. That the first one ends says nothing: the process may
 * go on without it, also by an exec of another one. */
static __always_inline bool is_last_thread(__u64 task)
{
	__u64 signal = 0;
	__u32 live = 1;

	bpf_probe_read_kernel(&signal, sizeof(signal), (void *)(task + signal_offset));
	bpf_probe_read_kernel(&live, sizeof(live), (void *)(signal + live_offset));
	return live == 0;
}

SEC("raw_tp/sched_process_exit")
int process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct thread *thread = known_thread();
	bool is_last = is_last_thread(ctx->args[0]);

	if (thread)
		abandon_calls(thread, !is_last);
	if (!is_last) {
		forget_thread(bpf_get_current_pid_tgid());
		return 0;
	}
	end_goroutines(pid);
	if (phases) {
		thread = traced_thread();
		if (thread)
			reach_by_thread((void *)ctx, thread, PHASE_EXIT, thread->runtime);
		bpf_map_delete_elem(&lives, &pid);
	}
	forget_thread(bpf_get_current_pid_tgid());
	if (!bpf_map_delete_elem(&processes, &pid))
		tell(EVENT_EXIT, pid, 0);
	return 0;
}

/* For generated code: whether the script looks at the current process. */
__noinline int ewapa_is_traced(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process;

	process = bpf_map_lookup_elem(&processes, &pid);
	return process ? process->quiet <= QUIET_GOROUTINES : all_processes;
}

/* For generated code: the record of the innermost open call of the current thread. */
__noinline const void *ewapa_call_around(void)
{
	struct thread *thread = known_thread();
	struct open_call *open;

	if (!thread || !thread->depth)
		return &no_call;
	open = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)];
	if (!open->named)
		return &no_call;
	if (script_reads & READS_WASI_DURATION)
		open->call.wasi_duration = bpf_ktime_get_ns() - open->start;
	return &open->call;
}

/* For generated code: ns since the script started. */
__noinline __u64 ewapa_elapsed(void)
{
	return bpf_ktime_get_ns() - started;
}

/* For generated code: the process that started the current one. */
__noinline __u64 ewapa_parent(void)
{
	__u64 task = (__u64)bpf_get_current_task(), parent = 0;
	__u32 pid = 0;

	bpf_probe_read_kernel(&parent, sizeof(parent), (void *)(task + parent_offset));
	bpf_probe_read_kernel(&pid, sizeof(pid), (void *)(parent + tgid_offset));
	return pid;
}

/* Attached to nothing: user space runs it, with the index of a clause, for each event that is no call. */
SEC("raw_tp/script")
int script_event(struct bpf_raw_tracepoint_args *ctx)
{
	ewapa_event((void *)&no_call, ctx, ctx->args[0]);
	return 0;
}
