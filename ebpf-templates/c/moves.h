/* Calls whose ends are seen at their return instructions, and not by return probes: they may end on another
 * thread than the one they began on, which return probes do not survive. Each open call is kept by its process and
 * stack pointer, too, and the thread on which it ends takes it from there. On the one on which it began it is then
 * stale: what is kept there is another call, or none.
 */
#pragma once

const volatile __u8 sees_exits;  /* ends are seen so */

/* What is added up on the thread that makes the call, and does not move with it. */
#define READS_OF_THREAD                                                                                  \
	(READS_SYSCALL_TIME | READS_SYSCALL_COUNT | READS_SYSCALL_BYTES | READS_SELF_TIME | READS_OFFCPU_TIME | \
	 READS_THREAD_HOPS | READS_WATCHED | READS_HANDED_TIME | READS_HANDED_COUNT | READS_HANDED_BYTES)

struct moving_key {
	__u64 sp;
	__u32 pid;
	__u32 pad;
};

/* Its memory is there in advance: in the middle of a probe so much may not be had. Not made if it is not used. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct moving_key);
	__type(value, struct open_call);
} moving SEC(".maps");

static __always_inline struct moving_key moving_key(__u64 sp)
{
	return (struct moving_key){ .sp = sp, .pid = bpf_get_current_pid_tgid() >> 32 };
}

/* A call has begun, or has got its name. One that finds no room can end only where it began. */
static __always_inline void let_move(struct open_call *open)
{
	struct moving_key key = moving_key(open->sp);

	open->may_move = 1;
	open->left_behind = 0;
	open->may_move = !bpf_map_update_elem(&moving, &key, open, BPF_ANY);
}

/* Whether a call of this thread has ended on another one. */
static __always_inline bool is_stale(struct open_call *open)
{
	struct moving_key key = moving_key(open->sp);
	struct open_call *kept;

	if (!open->may_move)
		return 0;
	kept = bpf_map_lookup_elem(&moving, &key);
	return !kept || kept->start != open->start;
}

/* A call ends on its thread: nobody is to take it. */
static __always_inline void keep_here(struct open_call *open)
{
	struct moving_key key = moving_key(open->sp);

	bpf_map_delete_elem(&moving, &key);
}

/* The thread of a call ends. If the call has gone on elsewhere, it was counted as unfinished too soon. */
static __always_inline void leave_behind(struct open_call *open)
{
	struct moving_key key = moving_key(open->sp);
	struct open_call *kept = bpf_map_lookup_elem(&moving, &key);

	if (kept)
		kept->left_behind = 1;
}

/* It has. */
static __always_inline void is_finished(struct open_call *kept)
{
	__u32 func = kept->call.func;
	__u64 *counter = bpf_map_lookup_elem(&unfinished, &func);

	if (counter && kept->named && !kept->ignored)
		__sync_fetch_and_add(counter, -1);
	tally_by(COUNT_RETURNS, -1);
}

/* Takes the innermost call off the stack if it has ended on another thread, which has counted it. */
static __always_inline bool drop_stale(struct thread *thread, struct open_call *open)
{
	if (!is_stale(open))
		return 0;
	if (books_handed && open->handed)
		take_back(open);
	thread->depth--;
	return 1;
}

/* Takes calls off the stack that have ended on another thread. */
__noinline int drop_moved(struct thread *thread)
{
	if (!sees_exits || !thread)
		return 0;
	for (int i = 0; i < MAX_DEPTH; i++) {
		if (!thread->depth || !drop_stale(thread, &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)]))
			break;
	}
	return 0;
}

/* A call ends that began with this stack pointer. Returns its place, from 1, on the stack of this thread, to
 * which it comes if it has moved; 0 if it was not seen to begin, or cannot be told. */
__noinline __u32 settle(struct thread *thread, __u32 place, __u64 sp)
{
	struct moving_key key = moving_key(sp);
	struct open_call *open, *kept;

	if (!sees_exits || !thread)
		return 0;
	if (place) {
		open = &thread->open[(place - 1) & (MAX_DEPTH - 1)];
		if (!is_stale(open)) {
			bpf_map_delete_elem(&moving, &key);
			return place;
		}
		/* It stays stale, and is not found again. */
		open->sp = 0;
	}
	kept = bpf_map_lookup_elem(&moving, &key);
	if (!kept) {
		count(COUNT_UNMATCHED);
		return 0;
	}
	if (kept->left_behind)
		is_finished(kept);
	if ((script_reads & READS_OF_THREAD) || thread->depth >= MAX_DEPTH) {
		if (kept->named && !kept->ignored)
			count(COUNT_MOVED);
		count(COUNT_RETURNS);
		bpf_map_delete_elem(&moving, &key);
		return 0;
	}
	open = &thread->open[thread->depth & (MAX_DEPTH - 1)];
	bpf_probe_read_kernel(open, sizeof(*open), kept);
	open->left_behind = 0;
	bpf_map_delete_elem(&moving, &key);
	return ++thread->depth;
}
