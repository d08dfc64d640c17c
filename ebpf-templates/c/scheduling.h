/* What the scheduler tells of threads that are in a call: when they do not run, and whom they wake. */
#pragma once

/* Typed arguments: the storage of a task that is not the current one cannot be had otherwise. Without task storage
 * it is loaded as a program of a raw tracepoint, whose arguments are the same. */
SEC("tp_btf/sched_switch")
int thread_switch(__u64 *ctx)
{
	struct task_struct *next = (struct task_struct *)ctx[2];
	struct thread *thread = known_thread();
	__u64 now;

	if (thread && thread->depth)
		thread->switched_off = bpf_ktime_get_ns();
	if (task_storage) {
		thread = bpf_task_storage_get(&threads, next, 0, 0);
	} else {
		__u32 tid = 0;

		bpf_probe_read_kernel(&tid, sizeof(tid), (void *)((__u64)next + pid_offset));
		thread = thread_by_id(tid);
	}
	if (!thread || !thread->switched_off)
		return 0;
	now = bpf_ktime_get_ns();
	if (thread->depth)
		thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)].call.offcpu_time += now - thread->switched_off;
	thread->switched_off = 0;
	return 0;
}

/* In a system call only: an interrupt may come in the name of a thread that has nothing to do with it. */
SEC("raw_tp/sched_waking")
int thread_wakes(struct bpf_raw_tracepoint_args *ctx)
{
	struct thread *thread = known_thread();
	__u64 id;
	__u32 pid = 0;

	if (!thread || !thread->depth || !thread->syscall_start)
		return 0;
	id = bpf_get_current_pid_tgid();
	bpf_probe_read_kernel(&pid, sizeof(pid), (void *)(ctx->args[0] + tgid_offset));
	if (pid != id >> 32 || ctx->args[0] == (__u64)bpf_get_current_task())
		return 0;
	thread->open[(thread->depth - 1) & (MAX_DEPTH - 1)].call.thread_hops++;
	return 0;
}
