/* The records of threads where the kernel has no task storage (before Linux 5.11): a hash by thread. User space
 * makes room in it only then. */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct thread);
} threads_by_id SEC(".maps");

static const struct thread no_thread;

static __always_inline struct thread *thread_by_id(__u32 tid)
{
	return bpf_map_lookup_elem(&threads_by_id, &tid);
}

static __always_inline struct thread *new_thread_by_id(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&threads_by_id, &tid, &no_thread, BPF_NOEXIST);
	return thread_by_id(tid);
}

/* The thread has ended, or goes on under another number. */
static __always_inline void forget_thread(__u32 tid)
{
	if (!task_storage)
		bpf_map_delete_elem(&threads_by_id, &tid);
}
