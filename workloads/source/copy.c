// Copies standard input to standard output by blocks: 10 for each unit of the scale.
#include "workload.h"

int main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    unsigned long blocks = 10 * scale_of(argc, argv), number = 0;
    for (; read_block(0, block) == BLOCK; number++)
        write_block(1, block, BLOCK);
    if (number != blocks)
        fail("standard input has another length");
    state_calls();
    return 0;
}
