// Reads a file from its beginning to its end: 4 blocks of 32 KiB for each unit of the scale.
#include "workload.h"

#include <fcntl.h>
#include <unistd.h>

enum { BLOCK = 32768 };

int main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    unsigned long blocks = 4 * scale_of(argc, argv), number = 0;
    int fd = openat(DIRECTORY, "input", O_RDONLY);
    if (fd < 0)
        fail("cannot open input");
    for (; read_block(fd, block, BLOCK) == BLOCK; number++)
        if (!holds(block, BLOCK, number))
            fail("a block of input holds something else");
    if (number != blocks)
        fail("input has another length");
    if (close(fd) != 0)
        fail("cannot close input");
    state_calls();
    return 0;
}
