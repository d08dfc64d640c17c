/* Paths: folders with many entries, links that lead nowhere or to themselves, renames, removals, and names that are
 * long, empty or no UTF-8. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void many(void)
{
	char name[32];
	DIR *folder;
	int fd;

	mkdir("many", 0755);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "many/file-number-%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 0644);
		if (fd >= 0)
			close(fd);
	}
	folder = opendir("many");
	if (folder) {
		struct dirent *entry;
		int count = 0;

		while ((entry = readdir(folder)))
			count++;
		rewinddir(folder);
		readdir(folder);
		telldir(folder);
		closedir(folder);
		printf("%d entries\n", count);
	}
	fd = open("many", O_RDONLY | O_DIRECTORY);
	if (fd >= 0) {
		folder = fdopendir(fd);
		if (folder) {
			readdir(folder);
			closedir(folder);
		} else {
			close(fd);
		}
	}
	fd = open("data", O_RDONLY);
	if (fd >= 0) {
		folder = fdopendir(fd);
		if (folder) {
			readdir(folder);
			closedir(folder);
		} else {
			close(fd);
		}
	}
}

static void links(void)
{
	char buffer[64];
	struct stat status;

	symlink("nowhere", "dangling");
	symlink("loop", "loop");
	symlink("data", "to-data");
	symlink("/etc/passwd", "out");
	symlink("../..", "up");
	open("dangling", O_RDONLY);
	open("dangling", O_RDONLY | O_NOFOLLOW);
	open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644);
	open("loop", O_RDONLY);
	open("out", O_RDONLY);
	open("up/etc", O_RDONLY);
	open("../outside", O_RDONLY);
	stat("loop", &status);
	lstat("loop", &status);
	(void)!readlink("dangling", buffer, sizeof(buffer));
	(void)!readlink("dangling", buffer, 2);
	(void)!readlink("data", buffer, sizeof(buffer));
	link("data", "linked");
	link("data", "linked");
	link("nothing", "linked-too");
	link("dangling", "linked-dangling");
	unlink("linked");
	unlink("linked");
	unlink("folder");
	unlink("dangling/");
}

static void renames(void)
{
	char longest[5001];

	mkdir("made", 0755);
	mkdir("made", 0755);
	mkdir("made/deeper", 0755);
	rmdir("made");
	rename("made/deeper", "renamed");
	rename("renamed", "data");
	rename("nothing", "renamed-too");
	rmdir("renamed");
	rmdir("data");
	rmdir("nothing");
	open("", O_RDONLY);
	open("\xff\xfe name", O_RDONLY);
	open("data/", O_RDONLY);
	open("data/below", O_RDONLY);
	open("./folder/../data", O_RDONLY);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[5000] = 0;
	open(longest, O_RDONLY);
	longest[255] = 0;
	open(longest, O_RDONLY);
	longest[127] = 0;
	open(longest, O_RDONLY);
	longest[126] = 0;
	open(longest, O_RDONLY);
}

int main(void)
{
	many();
	links();
	renames();
	exit(0);
}
