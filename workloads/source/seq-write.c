// Writes a file from its beginning to its end: 4 blocks of 32 KiB for each unit of the scale.
#include "workload.h"

#include <fcntl.h>
#include <unistd.h>

enum { BLOCK = 32768 };

int main(int argc, char **argv)
{
    static unsigned char block[BLOCK];
    unsigned long blocks = 4 * scale_of(argc, argv);
    // The length of the file is checked from outside: wasm3 0.4 cannot tell it.
    fill(block, BLOCK, 0);
    int fd = openat(DIRECTORY, "output", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        fail("cannot create output");
    for (unsigned long number = 0; number < blocks; number++)
        write_block(fd, block, BLOCK);
    if (close(fd) != 0)
        fail("cannot close output");
    state_calls();
    return 0;
}
