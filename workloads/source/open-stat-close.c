// Opens a file, asks for its status, closes it: twice for each unit of the scale, over the 100 files of a
// directory.
#include "workload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 100

int main(int argc, char **argv)
{
    unsigned long rounds = 2 * scale_of(argc, argv);
    char name[] = "files/f0000000";
    for (unsigned long round = 0; round < rounds; round++) {
        struct stat status;
        unsigned number = round % FILES;
        name[12] = (char)('0' + number / 10);
        name[13] = (char)('0' + number % 10);
        int fd = openat(DIRECTORY, name, O_RDONLY);
        if (fd < 0)
            fail("cannot open a file");
        if (fstat(fd, &status) != 0)
            fail("cannot stat a file");
        // Not its size: WAMR of 2022 has that at another place than WASI.
        if (!S_ISREG(status.st_mode))
            fail("a file is no file");
        if (close(fd) != 0)
            fail("cannot close a file");
    }
    state_calls();
    return 0;
}
