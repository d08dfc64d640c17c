/* Work that a call hands to other threads of its process: their system calls are booked to the call.
 *
 * Whom a call wakes or starts works for it, and whom that thread wakes in turn, until it waits for work again,
 * or until the call ends. A thread that wakes the caller has answered: it works for the call again only when
 * the caller has begun to wait once more. What it takes from a queue then, before it waits, is booked when it
 * answers. In a pool it may do another call's work than that which it was woken for: it answers that one then, and
 * what it has done goes there. All of this is told from who wakes whom: an estimate, and kept apart from what the
 * calling thread did itself, which is exact.
 */
#pragma once

#define FUTEX 202

/* System calls. */
struct work {
	__u64 count;
	__u64 time;      /* ns in them */
	__u64 bytes;
};

/* An open call that has woken another thread, or was answered by one. */
struct handed {
	__u64 start;     /* of the call: ns, CLOCK_MONOTONIC */
	__s64 func;
	__s64 call_id;
	__u64 waits_in;  /* the system call in which the caller was when it was answered */
	__u64 waits;     /* how often it has begun to wait */
	struct work work; /* of others */
};

/* Its memory is there in advance, as a wake-up is no place to get any. Not made if it is not used. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct handed);
} handed SEC(".maps");

/* The key is on the stack: Linux 6.1 takes none from where the arguments of a global function lead. */
static __always_inline struct handed *handed_call(__u64 id)
{
	return bpf_map_lookup_elem(&handed, &id);
}

static __always_inline void forget_handed(__u64 id)
{
	bpf_map_delete_elem(&handed, &id);
}


/* A thread that was given work by a call, now or before. */
struct helper {
	__u64 call;       /* the key of the call that it works for; 0 for none */
	__u64 answered;   /* 1 more than the caller's waits when this thread woke it; 0 if it has not */
	__u64 waits_in;   /* the system call in which it waited for work, and its first argument; -1 for none */
	__u64 waits_on;
	__u64 syscall;    /* the system call that it is in */
	__u64 start;      /* when that began; 0 outside, while it waits, and if it is of no interest */
	__u64 booked;     /* the key of the call that this one is booked to; 0 for none */
	__s64 func;       /* of that call: it may have ended when the system call does */
	__s64 call_id;
	__u64 call_start; /* 0 if the system call was booked after it had begun */
	__u64 streak;     /* it was given work by a call, and has not waited since */
	struct work pending; /* what it has done in it since it answered, and is not booked */
	struct work booked_work; /* what is booked to `call` since it began to work for it, or answered */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct helper);
} helpers SEC(".maps");

static __always_inline struct helper *known_helper(void)
{
	return bpf_task_storage_get(&helpers, bpf_get_current_task_btf(), 0, 0);
}

static __always_inline __u64 new_call_id(void);

/* The record of what a call has handed over. */
static __always_inline struct handed *handed_by(struct open_call *open)
{
	struct handed *call;

	if (!open->handed) {
		struct handed fresh = {
			.start = open->start,
		};
		__u64 key = new_call_id();

		if (bpf_map_update_elem(&handed, &key, &fresh, BPF_ANY)) {
			count(COUNT_NO_HANDED);
			return 0;
		}
		open->handed = key;
	}
	call = handed_call(open->handed);
	if (call) {
		/* It may have got its name meanwhile. */
		call->func = open->named ? open->call.func : NONE;
		call->call_id = open->named ? open->call.call_id : 0;
	}
	return call;
}

/* The call that a thread works for; 0 if it has answered, or if the call has ended. */
static __always_inline struct handed *works_for(struct helper *helper)
{
	struct handed *call;

	if (!helper->call)
		return 0;
	call = handed_call(helper->call);
	if (!call) {
		helper->call = 0;
		helper->booked_work = (struct work){};
		return 0;
	}
	return helper->answered == call->waits + 1 ? 0 : call;
}

static __always_inline void add_work(struct work *to, __u64 count, __u64 time, __u64 bytes)
{
	__sync_fetch_and_add(&to->count, count);
	__sync_fetch_and_add(&to->time, time);
	__sync_fetch_and_add(&to->bytes, bytes);
}

/* Nobody was woken for what it has done. */
static __always_inline void forget_pending(struct helper *helper)
{
	if (helper->pending.count)
		tally_by(COUNT_UNBOOKED, helper->pending.count);
	helper->pending = (struct work){};
}

static __always_inline void stop_working(struct helper *helper)
{
	helper->call = 0;
	helper->answered = 0;
	helper->streak = 0;
	helper->booked_work = (struct work){};
	forget_pending(helper);
}

/* `task` was woken, or started, by a call or by one that works for it. */
static __always_inline void start_working(struct task_struct *task, __u64 call, bool is_new)
{
	struct helper *helper = bpf_task_storage_get(&helpers, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u64 regs;

	if (!helper) {
		count(COUNT_NO_HANDED);
		return;
	}
	/* Woken in the middle of its work. */
	if (works_for(helper))
		return;
	stop_working(helper);
	helper->call = call;
	helper->streak = 1;
	helper->waits_in = -1;
	if (is_new)
		return;
	regs = bpf_task_pt_regs(task);
	bpf_probe_read_kernel(&helper->waits_in, sizeof(helper->waits_in),
			      (void *)(regs + __builtin_offsetof(struct pt_regs, orig_ax)));
	bpf_probe_read_kernel(&helper->waits_on, sizeof(helper->waits_on),
			      (void *)(regs + __builtin_offsetof(struct pt_regs, di)));
}

/* The current thread wakes one that is in a call: an answer. */
static __always_inline void answer(struct helper *helper, struct thread *thread)
{
	struct open_call *open = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)];
	struct handed *call = handed_by(open);

	if (!call)
		return;
	if (helper->call && helper->call != open->handed) {
		struct handed *other = handed_call(helper->call);
		struct work *done = &helper->booked_work;

		if (other && done->count) {
			add_work(&other->work, -done->count, -done->time, -done->bytes);
			add_work(&call->work, done->count, done->time, done->bytes);
			if (helper->booked == helper->call)
				helper->booked = open->handed;
		}
		helper->call = 0;
		helper->answered = 0;
	}
	if (helper->pending.count) {
		add_work(&call->work, helper->pending.count, helper->pending.time, helper->pending.bytes);
		tally_by(COUNT_HANDED, helper->pending.count);
		helper->pending = (struct work){};
		/* That by which it answers is among them. As an event it stays what it began as. */
		helper->booked = open->handed;
		helper->call_start = 0;
	}
	helper->booked_work = (struct work){};
	if (helper->call)
		helper->answered = call->waits + 1;
	call->waits_in = thread->syscall;
}

/* Typed arguments, as those of thread_switch. Only what is done in a system call counts, as in thread_wakes. */
SEC("tp_btf/sched_waking")
int thread_hands_over(__u64 *ctx)
{
	struct task_struct *woken = (struct task_struct *)ctx[0];
	__u64 id = bpf_get_current_pid_tgid();
	struct thread *thread, *other;
	struct helper *helper;
	__u32 pid = 0;

	bpf_probe_read_kernel(&pid, sizeof(pid), (void *)((__u64)woken + tgid_offset));
	if (pid != id >> 32 || (__u64)woken == (__u64)bpf_get_current_task())
		return 0;
	thread = known_thread();
	if (thread && thread->depth) {
		struct open_call *open = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)];

		if (!thread->syscall_start)
			return 0;
		other = bpf_task_storage_get(&threads, woken, 0, 0);
		/* One that makes a call itself waits for its own reasons. */
		if (!(other && other->depth) && handed_by(open))
			start_working(woken, open->handed, 0);
		return 0;
	}
	helper = known_helper();
	if (!helper || !helper->start)
		return 0;
	other = bpf_task_storage_get(&threads, woken, 0, 0);
	if (other && other->depth)
		answer(helper, other);
	else if (works_for(helper))
		start_working(woken, helper->call, 0);
	else
		forget_pending(helper);
	return 0;
}

/* A call that starts a thread has handed work over, too. */
SEC("tp_btf/sched_process_fork")
int thread_starts(__u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[1];
	__u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = known_thread();
	struct helper *helper;
	__u32 pid = 0;

	bpf_probe_read_kernel(&pid, sizeof(pid), (void *)((__u64)child + tgid_offset));
	if (pid != id >> 32)
		return 0;
	if (thread && thread->depth) {
		struct open_call *open = &thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)];

		if (script_reads & READS_THREAD_HOPS)
			open->call.thread_hops++;
		if (books_handed && handed_by(open))
			start_working(child, open->handed, 1);
	} else if (books_handed) {
		helper = known_helper();
		if (helper && works_for(helper))
			start_working(child, helper->call, 1);
	}
	return 0;
}

static __always_inline __u64 syscall_argument(__u64 regs, __u32 offset)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)(regs + offset));
	return value;
}

/* Whether a thread makes this system call to wait for another thread. */
static __always_inline bool waits_for_threads(__u64 nr, __u64 regs)
{
	switch (nr) {
	case FUTEX:
		switch (syscall_argument(regs, __builtin_offsetof(struct pt_regs, si)) & 0x7f) {
		case 0: case 6: case 9: case 11: case 13:  /* WAIT LOCK_PI WAIT_BITSET WAIT_REQUEUE_PI LOCK_PI2 */
			return 1;
		}
		return 0;
	case 232: case 281: case 441:  /* epoll_wait epoll_pwait epoll_pwait2 */
	case 449: case 455:            /* futex_waitv futex_wait */
		return 1;
	}
	return 0;
}

/* The system calls that take a list of descriptors to wait for. */
static __always_inline bool polls(__u64 nr)
{
	return nr == 7 || nr == 23 || nr == 270 || nr == 271;  /* poll select pselect6 ppoll */
}

/* The thread of a call that was handed over enters a system call: it may begin to wait for the answer. */
static __always_inline void caller_enters(struct open_call *open, __u64 nr, __u64 regs)
{
	struct handed *call = handed_call(open->handed);

	if (call && (waits_for_threads(nr, regs) || polls(nr) || (nr == call->waits_in && nr != FUTEX)))
		call->waits++;
}

/* A thread that is in no call enters a system call. */
static __always_inline void helper_enters(__u64 nr, __u64 regs)
{
	struct helper *helper = known_helper();
	struct handed *call;

	if (!helper)
		return;
	helper->booked = 0;
	helper->start = 0;
	if (waits_for_threads(nr, regs) ||
	    (nr == helper->waits_in && nr != FUTEX &&
	     (polls(nr) || syscall_argument(regs, __builtin_offsetof(struct pt_regs, di)) == helper->waits_on))) {
		stop_working(helper);
		return;
	}
	call = works_for(helper);
	if (call) {
		__sync_fetch_and_add(&call->work.count, 1);
		helper->booked_work.count++;
		helper->booked = helper->call;
		helper->func = call->func;
		helper->call_id = call->call_id;
		helper->call_start = call->start;
		tally(COUNT_HANDED);
	} else if (helper->streak) {
		helper->pending.count++;
	} else {
		return;
	}
	helper->syscall = nr;
	helper->start = bpf_ktime_get_ns();
}

/* The helper that the current thread is, if it is in a system call of interest. */
static __always_inline struct helper *leaving_helper(void)
{
	struct helper *helper = known_helper();

	return helper && helper->start ? helper : 0;
}

/* Its system call has completed. Of a call that has ended meanwhile nothing more is told. */
static __always_inline void helper_leaves(struct helper *helper, __u64 bytes, __u64 now)
{
	__u64 took = now - helper->start;
	struct handed *call;

	helper->start = 0;
	if (helper->booked) {
		call = handed_call(helper->booked);
		if (call)
			add_work(&call->work, 0, took, bytes);
		if (helper->booked == helper->call && !helper->answered)
			add_work(&helper->booked_work, 0, took, bytes);
	} else {
		add_work(&helper->pending, 0, took, bytes);
	}
}

/* What an event says of the call that the system call was made for. */
static __always_inline void say_handed(struct call *record, struct helper *helper, __u64 now)
{
	if (!helper->booked || !helper->call_start)
		return;
	record->handed = 1;
	record->call_id = helper->call_id;
	record->wasi_func = helper->func;
	if (handed_call(helper->booked))
		record->wasi_duration = now - helper->call_start;
}

/* The call ends. */
static __always_inline void take_back(struct open_call *open)
{
	struct handed *call = handed_call(open->handed);

	if (call) {
		open->call.handed_count += call->work.count;
		open->call.handed_time += call->work.time;
		open->call.handed_bytes += call->work.bytes;
	}
	forget_handed(open->handed);
	open->handed = 0;
}

/* What was done for an inner call was done for the one around it. */
static __always_inline void add_handed(struct call *outer, const struct call *inner)
{
	outer->handed_count += inner->handed_count;
	outer->handed_time += inner->handed_time;
	outer->handed_bytes += inner->handed_bytes;
}

/* A call begins. A thread that makes one itself works for no other. */
static __always_inline void begin_alone(struct open_call *open)
{
	struct helper *helper = known_helper();

	if (helper)
		stop_working(helper);
	open->handed = 0;
	open->call.handed_count = 0;
	open->call.handed_time = 0;
	open->call.handed_bytes = 0;
}
