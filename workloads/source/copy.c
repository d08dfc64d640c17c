// Copies standard input to standard output by blocks of 32 KiB: 4 for each unit of the scale.
#include "workload.h"

enum { BLOCK = 32768 };

int main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    unsigned long blocks = 4 * scale_of(argc, argv), number = 0;
    for (; read_block(0, block, BLOCK) == BLOCK; number++)
        write_block(1, block, BLOCK);
    if (number != blocks)
        fail("standard input has another length");
    state_calls();
    return 0;
}
