// Reads a block at a random place of a file of 64 blocks of 4 KiB and writes it back changed: 3 times for each unit of
// the scale.
#include "workload.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 64 };

static void go_to(int fd, unsigned number)
{
    if (lseek(fd, (off_t)number * BLOCK, SEEK_SET) != (off_t)number * BLOCK)
        fail("cannot seek");
}

int main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    static unsigned char changes[BLOCKS];
    unsigned long rounds = 3 * scale_of(argc, argv);
    uint32_t random = 1;
    int fd = openat(DIRECTORY, "input", O_RDWR);
    if (fd < 0)
        fail("cannot open input");
    for (unsigned long round = 0; round < rounds; round++) {
        random = random * 1664525 + 1013904223;
        unsigned number = (random >> 16) % BLOCKS;
        go_to(fd, number);
        if (read_block(fd, block, BLOCK) != BLOCK)
            fail("input has another length");
        // Its last byte counts the changes, from what the prepared file has there.
        unsigned char count = block[BLOCK - 1];
        block[BLOCK - 1] = (unsigned char)(count - changes[number]);
        static unsigned char prepared[BLOCK];
        fill(prepared, BLOCK, number);
        if (!holds(block, BLOCK, number) || block[BLOCK - 1] != prepared[BLOCK - 1])
            fail("a block of input holds something else");
        block[BLOCK - 1] = (unsigned char)(count + 1);
        changes[number]++;
        go_to(fd, number);
        write_block(fd, block, BLOCK);
    }
    if (close(fd) != 0)
        fail("cannot close input");
    state_calls();
    return 0;
}
