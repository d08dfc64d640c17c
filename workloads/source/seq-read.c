// Reads a file from its beginning to its end: 10 blocks for each unit of the scale.
#include "workload.h"

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    unsigned long blocks = 10 * scale_of(argc, argv), number = 0;
    int fd = openat(DIRECTORY, "input", O_RDONLY);
    if (fd < 0)
        fail("cannot open input");
    for (; read_block(fd, block) == BLOCK; number++)
        if (!holds(block, number))
            fail("a block of input holds something else");
    if (number != blocks)
        fail("input has another length");
    if (close(fd) != 0)
        fail("cannot close input");
    state_calls();
    return 0;
}
