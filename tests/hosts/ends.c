/* A host whose fd_write looks like that of wasm3 0.4 and ends otherwise than by returning to who called it.
 *
 * ends WAY COUNT
 *   returns   COUNT calls that return
 *   traps     COUNT calls that trap
 *   jumps     COUNT calls that are left by longjmp, and one that returns
 *   exits     COUNT threads that end in a call
 *   killed    the process is killed in a call
 *   crashes   the process has a fault in a call
 *   forks     COUNT calls that fork: the child returns from its copy of the call, makes one of its own and ends
 *   execs     a call that becomes this program with `returns COUNT`
 *   at-once   COUNT threads that are in a call at the same time
 *   moves     COUNT calls that begin on one thread and return on another one
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static const char *way;
static int count;
static char *count_text;
static jmp_buf outside;
static pthread_barrier_t all;
static ucontext_t fiber, threads[2];
static int on;  /* the thread that runs the fiber */
static sem_t turn[2];

static int is(const char *wanted)
{
	return !strcmp(way, wanted);
}

/* fn(runtime, cells of 8 bytes, memory): the errno replaces the first argument, null says that it did not trap. */
__attribute__((noinline)) const void *m3_wasi_unstable_fd_write(void *plain, uint64_t *cells, uint8_t *memory)
{
	(void)memory;
	cells[0] = 0;
	if (plain)
		return 0;
	if (is("traps"))
		return "a trap";
	if (is("jumps"))
		longjmp(outside, 1);
	if (is("exits"))
		pthread_exit(0);
	if (is("killed"))
		kill(getpid(), SIGKILL);
	if (is("crashes"))
		*(volatile int *)8 = 0;
	if (is("forks") && !fork())
		cells[0] = 1;
	if (is("execs"))
		execl("/proc/self/exe", "ends", "returns", count_text, (char *)0);
	if (is("at-once"))
		pthread_barrier_wait(&all);
	if (is("moves"))
		swapcontext(&fiber, &threads[on]);
	return 0;
}

static void *call(void *plain)
{
	uint64_t cells[4] = { 1 };

	if (!setjmp(outside))
		m3_wasi_unstable_fd_write(plain, cells, 0);
	if (cells[0]) {
		/* The child of a call that forked. */
		m3_wasi_unstable_fd_write("plain", cells, 0);
		_exit(0);
	}
	return 0;
}

static void calls(void)
{
	for (int i = 0; i < count; i++)
		call(0);
}

/* Goes on with the fiber whenever it is its turn. */
static void *resume(void *number)
{
	int this = (int)(intptr_t)number;

	for (int i = this; i <= count; i += 2) {
		sem_wait(&turn[this]);
		on = this;
		swapcontext(&threads[this], &fiber);
		sem_post(&turn[!this]);
	}
	return 0;
}

static void on_threads(int number, void *(*run)(void *))
{
	pthread_t *started = calloc(number, sizeof(*started));
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	for (int i = 0; i < number; i++)
		if (pthread_create(&started[i], &small, run, 0))
			abort();
	for (int i = 0; i < number; i++)
		pthread_join(started[i], 0);
	free(started);
}

/* Each call is begun by the first thread and gone on with by the other one. */
static void move(void)
{
	static char stack[256 * 1024];
	pthread_t both[2];

	getcontext(&fiber);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = sizeof(stack);
	fiber.uc_link = &threads[count % 2];
	makecontext(&fiber, calls, 0);
	sem_init(&turn[0], 0, 1);
	sem_init(&turn[1], 0, 0);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&both[i], 0, resume, (void *)(intptr_t)i))
			abort();
	for (int i = 0; i < 2; i++)
		pthread_join(both[i], 0);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	way = argv[1];
	count_text = argv[2];
	count = atoi(count_text);
	pthread_barrier_init(&all, 0, count);
	if (is("exits") || is("at-once"))
		on_threads(count, call);
	else if (is("moves"))
		move();
	else
		calls();
	if (is("jumps"))
		call("plain");
	while (wait(0) > 0)
		;
	return 0;
}
