// Reads the clock and takes 16 random bytes: 10 times for each unit of the scale.
#include "workload.h"

#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned long rounds = 10 * scale_of(argc, argv);
    struct timespec last = {0, 0};
    unsigned char bytes[16], before[16] = {0};
    for (unsigned long round = 0; round < rounds; round++) {
        struct timespec now;
        if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
            fail("cannot read the clock");
        if (now.tv_sec < last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec))
            fail("the clock went backwards");
        last = now;
        if (getentropy(bytes, sizeof bytes) != 0)
            fail("no random bytes");
        if (memcmp(bytes, before, sizeof bytes) == 0)
            fail("the random bytes are the same as before");
        memcpy(before, bytes, sizeof bytes);
    }
    state_calls();
    return 0;
}
