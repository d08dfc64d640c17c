// Lists a directory: 2 files for each unit of the scale.
#include "workload.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    unsigned long files = 2 * scale_of(argc, argv), found = 0, sum = 0;
    int fd = openat(DIRECTORY, "files", O_RDONLY | O_DIRECTORY);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        fail("cannot open the directory");
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] != 'f')
            continue;
        found++;
        sum += strtoul(entry->d_name + 1, NULL, 10);
    }
    if (found != files)
        fail("the directory has another number of files");
    if (sum != files * (files - 1) / 2)
        fail("the files have other names");
    if (closedir(directory) != 0)
        fail("cannot close the directory");
    state_calls();
    return 0;
}
