// Writes lines of 16 bytes to standard output, each by itself, through stdio without a buffer: 10 for each unit
// of the scale, and a write of nothing behind each 10.
#include "workload.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned long lines = 10 * scale_of(argc, argv);
    char line[] = "line 0000000000\n";
    setvbuf(stdout, NULL, _IONBF, 0);
    for (unsigned long number = 0; number < lines; number++) {
        unsigned long rest = number;
        for (char *digit = line + 14; digit >= line + 5; digit--, rest /= 10)
            *digit = (char)('0' + rest % 10);
        if (fputs(line, stdout) < 0)
            fail("cannot write");
        if (number % 10 == 9 && write(STDOUT_FILENO, line, 0) != 0)
            fail("cannot write nothing");
    }
    state_calls();
    return 0;
}
