/* Files by the C library: opens with each kind of access, seeks, reads and writes at positions, appends, truncates,
 * times, sizes and flags. It runs on what its runtime has: what fails, fails, and is counted all the same. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void modes(void)
{
	static const char *const kinds[] = { "r", "r+", "w", "w+", "a", "a+", "wx", "rb" };

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		FILE *file = fopen("fopened", kinds[i]);
		char line[16];

		if (!file)
			continue;
		fputs("line\n", file);
		fflush(file);
		rewind(file);
		if (fgets(line, sizeof(line), file))
			fputs(line, file);
		fclose(file);
	}
}

static void positions(void)
{
	char buffer[64];
	int fd = open("positions", O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		return;
	for (int i = 0; i < 10; i++)
		(void)!write(fd, "0123456789", 10);
	(void)!pwrite(fd, "abc", 3, 50);
	(void)!pwrite(fd, "abc", 3, 5000000000);
	(void)!pread(fd, buffer, 10, 48);
	(void)!pread(fd, buffer, 10, 5000000000);
	(void)!pread(fd, buffer, 10, 6000000000);
	lseek(fd, 0, SEEK_SET);
	lseek(fd, -10, SEEK_END);
	lseek(fd, 5, SEEK_CUR);
	lseek(fd, -1, SEEK_SET);
	(void)!read(fd, buffer, sizeof(buffer));
	(void)!read(fd, buffer, 0);
	ftruncate(fd, 20);
	ftruncate(fd, 4294967297);
	ftruncate(fd, 20);
	fsync(fd);
	fdatasync(fd);
	posix_fallocate(fd, 0, 4096);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	close(fd);
	close(fd);
}

static void appends(void)
{
	int fd = open("appended", O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (fd < 0)
		return;
	(void)!write(fd, "one", 3);
	(void)!pwrite(fd, "two", 3, 0);
	fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, 0);
	(void)!write(fd, "three", 5);
	fcntl(fd, F_SETFL, O_APPEND);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	close(fd);
}

static void times(void)
{
	struct timespec both[2] = { { 1000000000, 7 }, { 1000000001, 9 } };
	struct stat status;
	int fd = open("data", O_RDWR);

	stat("data", &status);
	lstat("data", &status);
	stat("nothing", &status);
	fstatat(AT_FDCWD, "folder", &status, AT_SYMLINK_NOFOLLOW);
	utimensat(AT_FDCWD, "data", both, 0);
	utimensat(AT_FDCWD, "nothing", both, 0);
	if (fd < 0)
		return;
	fstat(fd, &status);
	futimens(fd, both);
	futimens(fd, NULL);
	close(fd);
}

int main(void)
{
	modes();
	positions();
	appends();
	times();
	return 3;
}
