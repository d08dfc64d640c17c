/* A host whose fd_write looks like that of wasm3 0.4 and hands its work to other threads. Who makes which system
 * call is known: tests/threads.rs holds what ewapa counts against it.
 *
 * pool WAY CALLS WRITES MORE
 *   hand      a thread of a pool, woken by a futex, writes WRITES times and answers by one write more
 *   event     the same, and it is woken by a write to an eventfd
 *   chain     it wakes a second one, which writes MORE times and answers
 *   share     two guests call at once and have one thread: it writes WRITES times for the first and MORE times
 *             for the second, which it takes from a queue
 *   after     it answers, and writes MORE times when the call has returned
 *   outside   between calls it is given as much to do, for no call
 *   twice     it answers, and when the caller waits again it writes MORE times and answers again
 *   start     each call starts a thread, which writes WRITES times and ends
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

struct job {
	int writes;
	int answer;            /* an eventfd; -1: nobody is told */
	int later;             /* writes that come behind the answer, when `released` is set */
	int last;              /* the eventfd that these are answered by; -1 */
	struct worker *onward; /* who does the rest, which is `rest`, and answers */
	struct job *rest;
	struct job *queued;    /* what it finds to do when it has answered */
};

struct worker {
	_Atomic(struct job *) job;
	_Atomic uint32_t word; /* a futex */
	int event;             /* the eventfd that it waits on instead; -1 for none */
	_Atomic pid_t tid;
	atomic_int done;       /* jobs that were done with all that came behind */
};

static int null, calls, writes, more;
static const char *way;
static struct worker first = { .event = -1 }, second = { .event = -1 };
static atomic_int released; /* the thread of the pool may go on */
static atomic_int waits_again;
static struct job queue;    /* share: the second guest's */

/* Whether a thread sleeps. The threads of this host do so only where they wait for each other. */
static int sleeps(pid_t tid)
{
	char path[64], text[256] = "";
	int file;
	char *state;

	if (!tid)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = open(path, O_RDONLY);
	if (file < 0)
		return 0;
	if (read(file, text, sizeof(text) - 1) < 0)
		abort();
	close(file);
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

static void until_it_sleeps(_Atomic pid_t *tid)
{
	while (!sleeps(*tid))
		usleep(100);
}

static void write_times(int times)
{
	for (int i = 0; i < times; i++)
		if (write(null, "x", 1) != 1)
			abort();
}

/* One system call by which the thread is woken. */
static void give(struct worker *worker, struct job *job)
{
	uint64_t one = 1;

	worker->job = job;
	if (worker->event >= 0) {
		if (write(worker->event, &one, 8) != 8)
			abort();
		return;
	}
	worker->word++;
	syscall(SYS_futex, &worker->word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static void do_job(struct job *job)
{
	uint64_t one = 1;

	/* Without a system call: until all who are to wait do. */
	while (job->queued && !released)
		;
	write_times(job->writes);
	if (job->onward)
		give(job->onward, job->rest);
	if (job->answer >= 0 && write(job->answer, &one, 8) != 8)
		abort();
	while (job->later && !released)
		;
	write_times(job->later);
	if (job->last >= 0 && write(job->last, &one, 8) != 8)
		abort();
	if (job->queued)
		do_job(job->queued);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	uint64_t events;

	pthread_setname_np(pthread_self(), worker == &first ? "first" : "second");
	worker->tid = gettid();
	for (;;) {
		uint32_t seen = worker->word;
		struct job *job = atomic_exchange(&worker->job, (struct job *)0);

		if (job) {
			do_job(job);
			worker->done++;
		} else if (worker->event >= 0) {
			if (read(worker->event, &events, 8) != 8)
				abort();
		} else {
			syscall(SYS_futex, &worker->word, FUTEX_WAIT_PRIVATE, seen, 0, 0, 0);
		}
	}
	return 0;
}

static void *write_and_end(void *argument)
{
	write_times(*(int *)argument);
	return 0;
}

static void await(int answer)
{
	uint64_t events;

	if (read(answer, &events, 8) != 8)
		abort();
}

/* fn(runtime, cells of 8 bytes, memory): the errno replaces the first argument, null says that it did not trap. */
__attribute__((noinline)) void *m3_wasi_unstable_fd_write(void *runtime, uint64_t *cells, uint8_t *memory)
{
	struct job *job = runtime;

	(void)memory;
	if (!job) {
		pthread_t thread;

		if (pthread_create(&thread, 0, write_and_end, &writes))
			abort();
		pthread_join(thread, 0);
	} else if (cells[1]) {
		/* Its work is in the queue: nobody is woken for it. */
		await(job->answer);
	} else {
		give(&first, job);
		await((job->onward ? job->rest : job)->answer);
		if (job->last >= 0) {
			waits_again = 1;
			await(job->last);
		}
	}
	cells[0] = 0;
	return 0;
}

static _Atomic pid_t second_guest;

static void *guest(void *argument)
{
	uint64_t cells[4] = { 1, 1 };

	(void)argument;
	second_guest = gettid();
	m3_wasi_unstable_fd_write(&queue, cells, 0);
	return 0;
}

static _Atomic pid_t first_guest;

/* Lets the thread of the pool go on when all who are to wait for it do. */
static void *release(void *argument)
{
	(void)argument;
	if (!strcmp(way, "twice"))
		while (!waits_again)
			usleep(100);
	else
		until_it_sleeps(&second_guest);
	until_it_sleeps(&first_guest);
	released = 1;
	return 0;
}

static void call(void)
{
	uint64_t cells[4] = { 1, 0 };
	int answer = eventfd(0, 0);
	struct job rest = { .writes = more, .answer = answer, .last = -1 };
	struct job job = { .writes = writes, .answer = answer, .last = -1 };
	pthread_t other, releases;
	int done = first.done;

	released = 0;
	until_it_sleeps(&first.tid);
	until_it_sleeps(&second.tid);
	if (!strcmp(way, "chain")) {
		job.onward = &second;
		job.rest = &rest;
		job.answer = -1;
	} else if (!strcmp(way, "after")) {
		job.later = more;
	} else if (!strcmp(way, "outside")) {
		give(&first, &job);
		await(answer);
		until_it_sleeps(&first.tid);
		done = first.done;
	} else if (!strcmp(way, "share")) {
		queue = (struct job){ .writes = more, .answer = eventfd(0, 0), .last = -1 };
		job.queued = &queue;
		second_guest = 0;
		if (pthread_create(&other, 0, guest, 0))
			abort();
	} else if (!strcmp(way, "twice")) {
		waits_again = 0;
		job.later = more;
		job.last = eventfd(0, 0);
	}
	if ((job.queued || job.last >= 0) && pthread_create(&releases, 0, release, 0))
		abort();
	m3_wasi_unstable_fd_write(strcmp(way, "start") ? &job : 0, cells, 0);
	released = 1;
	if (job.queued)
		pthread_join(other, 0);
	if (job.queued || job.last >= 0)
		pthread_join(releases, 0);
	while (strcmp(way, "start") && first.done == done)
		;
}

/* The guest's begin, as wasm3 has it. */
__attribute__((noinline)) void m3_CallWithArgs(void)
{
	for (int i = 0; i < calls; i++)
		call();
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 5)
		return 2;
	way = argv[1];
	calls = atoi(argv[2]);
	writes = atoi(argv[3]);
	more = atoi(argv[4]);
	null = open("/dev/null", O_WRONLY);
	first_guest = gettid();
	if (!strcmp(way, "event"))
		first.event = eventfd(0, 0);
	if (pthread_create(&thread, 0, work, &first) || pthread_create(&thread, 0, work, &second))
		return 1;
	m3_CallWithArgs();
	return 0;
}
