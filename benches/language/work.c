/* Calls a function again and again, and prints what a call took: nanoseconds, on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Begins with a `push`, which the kernel emulates, as most functions do. */
__attribute__((noinline)) long work(long number, long few)
{
	volatile long kept[2] = { number, few };

	return kept[0] + kept[1];
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 100000;
	double start = now();

	for (long call = 0; call < calls; call++)
		work(call % 1000, call % 8);
	fprintf(stderr, "\nns-a-call %.2f\n", (now() - start) / calls);
	return 0;
}
