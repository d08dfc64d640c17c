/* Everything that can go wrong in and around a call of a runtime: a host of the invented runtime tinyrt (see
 * tinyrt.c) that does to itself what its first argument says. It prints how many calls it has made and that have
 * returned, where that is not clear from its arguments. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct memory {
	uint8_t *base;
	uint64_t length;
};

struct instance {
	const char *name;
	struct memory *memory;
};

static uint8_t bytes[65536];
static struct memory memory = { bytes, sizeof(bytes) };
static struct instance instance = { "tinyrt 1.2.3", &memory };

/* What a function gets is what its caller has to give. The kernel need not single-step a probe on a nop. */
#define USES(instance, cells) __asm__ volatile("nop" : : "r"(instance), "r"(cells) : "memory")

/* A call that only returns. */
__attribute__((noinline)) void tinyrt_hostcall_sched_yield(struct instance *instance, uint64_t *cells)
{
	USES(instance, cells);
	cells[0] = 0;
}

/* A call on a descriptor, which need not be open. */
__attribute__((noinline)) void tinyrt_hostcall_fd_close(struct instance *instance, uint64_t *cells)
{
	USES(instance, cells);
	cells[0] = 8;
}

static char byte;

/* Waits for a byte of the standard input. */
__attribute__((noinline)) void tinyrt_hostcall_fd_read(struct instance *instance, uint64_t *cells)
{
	USES(instance, cells);
	cells[0] = read(0, &byte, 1) == 1 ? 0 : 8;
}

/* Reads a path of the guest. */
__attribute__((noinline)) void tinyrt_hostcall_path_create_directory(struct instance *instance, uint64_t *cells)
{
	USES(instance, cells);
	cells[0] = 44;
}

static char **arguments;

/* Ends, or becomes another program, and does not return. */
__attribute__((noinline)) void tinyrt_hostcall_proc_raise(struct instance *instance, uint64_t *cells)
{
	const char *how = arguments[2];
	char *again[] = { arguments[0], "calls", "7", 0 };

	USES(instance, cells);
	if (!strcmp(how, "segv"))
		*(volatile int *)cells[3] = 1;
	if (!strcmp(how, "ill"))
		__asm__ volatile("ud2");
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "exec"))
		execv("/proc/self/exe", again);
	cells[0] = 0;
}

/* The child of a fork returns from the call, too. */
__attribute__((noinline)) void tinyrt_hostcall_poll_oneoff(struct instance *instance, uint64_t *cells)
{
	pid_t child = fork();

	USES(instance, cells);
	if (child > 0)
		waitpid(child, 0, 0);
	cells[0] = 0;
	cells[1] = child == 0;
}

static void many(long count)
{
	uint64_t cells[4] = { 0 };

	for (long i = 0; i < count; i++)
		tinyrt_hostcall_sched_yield(&instance, cells);
}

static pthread_barrier_t all_there;

static void *thread(void *count)
{
	pthread_barrier_wait(&all_there);
	many((long)count);
	return 0;
}

static void threads(long number, long count)
{
	pthread_t *started = calloc(number, sizeof(*started));
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	pthread_barrier_init(&all_there, 0, number);
	for (long i = 0; i < number; i++)
		if (pthread_create(&started[i], &attributes, thread, (void *)count))
			exit(90);
	for (long i = 0; i < number; i++)
		pthread_join(started[i], 0);
}

/* A tree of processes: each has two children until there are 2^depth leaves; all make calls. */
static void storm(long depth, long count)
{
	if (depth > 0) {
		for (int i = 0; i < 2; i++) {
			pid_t child = fork();

			if (child < 0)
				exit(91);
			if (!child) {
				storm(depth - 1, count);
				_exit(0);
			}
		}
	}
	many(count);
	for (;;)
		if (wait(0) < 0 && errno == ECHILD)
			break;
}

/* A child with this number; the kernel gives it if it is free. */
static void child_with(pid_t wanted, long count)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
	} how = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1 };
	long child = syscall(SYS_clone3, &how, sizeof(how));

	if (child < 0) {
		perror("clone3");
		exit(92);
	}
	if (!child) {
		many(count);
		_exit(0);
	}
	waitpid(child, 0, 0);
}

/* A call for each byte of the input, and one for its end; for a `b` so many others, for an `f` so many children
 * that only end. The answer to each byte says whether there is a probe in the code that was not there at the start. */
static void waits(long calls, long children)
{
	uint64_t cells[4] = { 0 };
	unsigned char code[16];

	memcpy(code, (void *)tinyrt_hostcall_fd_read, sizeof(code));
	for (;;) {
		tinyrt_hostcall_fd_read(&instance, cells);
		if (cells[0])
			break;
		if (byte == 'b')
			many(calls);
		for (long i = 0; byte == 'f' && i < children; i++) {
			pid_t child = vfork();

			if (!child)
				_exit(0);
			waitpid(child, 0, 0);
		}
		if (write(1, memcmp(code, (void *)tinyrt_hostcall_fd_read, sizeof(code)) ? "p" : ".", 1) != 1)
			exit(95);
	}
}

/* So many calls a second, for so many seconds; as fast as it can for a rate of 0. Prints how many it made. */
static void at_rate(double rate, double seconds)
{
	struct timespec begin, now, pause = { 0, 1000000 };
	double elapsed = 0;
	long made = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (elapsed < seconds) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		elapsed = now.tv_sec - begin.tv_sec + (now.tv_nsec - begin.tv_nsec) / 1e9;
		long due = rate > 0 ? (long)(rate * elapsed) - made : 1000;

		/* So that the end comes, also where the rate cannot be reached. */
		if (due > 10000)
			due = 10000;
		if (due > 0) {
			many(due);
			made += due;
		} else {
			nanosleep(&pause, 0);
		}
	}
	printf("%ld\n", made);
}

/* Maps a file as code, as the dynamic linker does. */
static void map_as_code(const char *path)
{
	int file = open(path, O_RDONLY);

	if (file < 0 || mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED)
		exit(93);
	close(file);
}

int main(int argc, char **argv)
{
	uint64_t cells[4] = { 0 };
	const char *what = argc > 1 ? argv[1] : "";
	long first = argc > 2 ? atol(argv[2]) : 0;
	long second = argc > 3 ? atol(argv[3]) : 0;

	arguments = argv;
	if (!strcmp(what, "calls")) {
		many(first);
	} else if (!strcmp(what, "ends")) {
		many(10);
		tinyrt_hostcall_proc_raise(&instance, cells);
	} else if (!strcmp(what, "threads")) {
		threads(first, second);
	} else if (!strcmp(what, "storm")) {
		storm(first, second);
	} else if (!strcmp(what, "fork")) {
		for (int i = 0; i < 10; i++) {
			cells[1] = 0;
			tinyrt_hostcall_poll_oneoff(&instance, cells);
			if (cells[1])
				_exit(0);
		}
	} else if (!strcmp(what, "groups")) {
		/* Each descriptor is a group; then the last ones again. */
		for (long i = 0; i < first; i++) {
			cells[0] = i;
			tinyrt_hostcall_fd_close(&instance, cells);
		}
	} else if (!strcmp(what, "descriptors")) {
		struct rlimit limit = { first + 64, first + 64 };

		setrlimit(RLIMIT_NOFILE, &limit);
		for (long i = 0; i < first; i++)
			if (dup(2) < 0)
				exit(94);
		many(second);
	} else if (!strcmp(what, "closed")) {
		close(0);
		close(1);
		close(2);
		many(first);
	} else if (!strcmp(what, "waits")) {
		waits(first, second);
	} else if (!strcmp(what, "stubborn")) {
		for (int number = 1; number < 32; number++)
			signal(number, SIG_IGN);
		many(10);
		if (write(1, ".", 1) != 1)
			exit(95);
		for (;;)
			pause();
	} else if (!strcmp(what, "number")) {
		pid_t child = fork();

		if (!child) {
			many(first);
			_exit(0);
		}
		waitpid(child, 0, 0);
		child_with(child, second);
	} else if (!strcmp(what, "numbered")) {
		child_with(first, second);
	} else if (!strcmp(what, "rate")) {
		at_rate(atof(argv[2]), argc > 3 ? atof(argv[3]) : 1);
	} else if (!strcmp(what, "maps")) {
		map_as_code(argv[2]);
		if (write(1, ".", 1) != 1)
			exit(95);
		waits(0, 0);
	} else if (!strcmp(what, "path")) {
		/* The path of the guest is the second argument: at address 64 of its memory. */
		size_t length = strlen(argv[2]);

		memcpy(bytes + 64, argv[2], length);
		cells[0] = 3;
		cells[1] = 64;
		cells[2] = length;
		tinyrt_hostcall_path_create_directory(&instance, cells);
	} else {
		return 96;
	}
	return 0;
}
