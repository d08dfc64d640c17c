#include "workload.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fail(const char *what)
{
    write(2, what, strlen(what));
    write(2, "\n", 1);
    _Exit(1);
}

unsigned long scale_of(int argc, char **argv)
{
    char *end;
    if (argc != 2)
        fail("usage: WORKLOAD SCALE");
    unsigned long scale = strtoul(argv[1], &end, 10);
    if (scale == 0 || scale > 10000000 || *end)
        fail("the scale is a number from 1 to 10000000");
    return scale;
}

// The same in src/bench/directory.rs.
static unsigned char byte(unsigned long number, unsigned at)
{
    return (unsigned char)(number * 31 + at * 7 + (at >> 8));
}

void fill(unsigned char *block, size_t length, unsigned long number)
{
    for (unsigned at = 0; at < length; at++)
        block[at] = byte(number, at);
}

int holds(const unsigned char *block, size_t length, unsigned long number)
{
    for (unsigned at = 0; at < length; at += length / 16)
        if (block[at] != byte(number, at))
            return 0;
    return 1;
}

size_t read_block(int fd, unsigned char *block, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t count = read(fd, block + done, length - done);
        if (count < 0)
            fail("cannot read");
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return done;
}

void write_block(int fd, const unsigned char *block, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, block, length);
        if (count <= 0)
            fail("cannot write");
        block += count;
        length -= (size_t)count;
    }
}
