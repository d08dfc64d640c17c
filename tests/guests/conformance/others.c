/* What is neither a file nor a path: arguments, environment, clocks, random numbers, polls, descriptors with other
 * numbers. */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <wasi/api.h>

static void clocks(void)
{
	struct timespec now;

	clock_getres(CLOCK_REALTIME, &now);
	clock_getres(CLOCK_MONOTONIC, &now);
	for (int i = 0; i < 100; i++) {
		clock_gettime(CLOCK_REALTIME, &now);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	now = (struct timespec){ 0, 1000000 };
	nanosleep(&now, NULL);
	usleep(10);
	sched_yield();
	time(NULL);
}

static void polls(void)
{
	struct pollfd fds[3] = { { 0, POLLIN, 0 }, { 1, POLLOUT, 0 }, { 2, POLLOUT, 0 } };
	__wasi_subscription_t due[3];
	__wasi_event_t events[3];
	__wasi_size_t count;

	poll(fds, 3, 0);
	poll(fds + 1, 2, 1);
	memset(due, 0, sizeof(due));
	for (int i = 0; i < 3; i++) {
		due[i].userdata = i;
		due[i].u.tag = __WASI_EVENTTYPE_CLOCK;
		due[i].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
		due[i].u.u.clock.timeout = 1000 * (i + 1);
	}
	(void)!__wasi_poll_oneoff(due, events, 3, &count);
	(void)!__wasi_poll_oneoff(due, events, 1, &count);
}

static void random_numbers(void)
{
	static char buffer[100000];

	getentropy(buffer, 256);
	(void)!__wasi_random_get((uint8_t *)buffer, 0);
	(void)!__wasi_random_get((uint8_t *)buffer, 1);
	(void)!__wasi_random_get((uint8_t *)buffer, sizeof(buffer));
}

static void descriptors(void)
{
	char buffer[8];
	int one = open("data", O_RDONLY), two = open("other", O_RDONLY);
	__wasi_fdstat_t stat;

	for (int fd = 0; fd < 8; fd++)
		(void)!__wasi_fd_fdstat_get(fd, &stat);
	if (one < 0 || two < 0)
		return;
	(void)!__wasi_fd_renumber(one, two);
	(void)!read(two, buffer, sizeof(buffer));
	(void)!read(one, buffer, sizeof(buffer));
	(void)!__wasi_fd_renumber(two, 1000);
	(void)!__wasi_fd_renumber(1000, two);
	(void)!__wasi_fd_fdstat_set_rights(two, __WASI_RIGHTS_FD_READ, 0);
	lseek(two, 0, SEEK_SET);
	close(two);
}

int main(int argc, char **argv)
{
	const char *home = getenv("HOME");

	printf("%d %s %d\n", argc, argv[0], home != NULL);
	clocks();
	random_numbers();
	descriptors();
	polls();
	fprintf(stderr, "end\n");
	return 0;
}
