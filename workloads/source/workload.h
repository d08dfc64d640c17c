// What all workloads share: they take their scale as the only argument, check what they did, and state the
// WASI calls that they made.
#include <stddef.h>

// The directory that the guest is given. Not by its descriptor: with Wasmer 3 is another one, in which nothing can be made.
#define DIRECTORY AT_FDCWD

// Says what is wrong and ends with exit code 1.
_Noreturn void fail(const char *what);

// The scale.
unsigned long scale_of(int argc, char **argv);

// Fills a block with what the block of this number of every file holds.
void fill(unsigned char *block, size_t length, unsigned long number);

// Whether a block holds that. Looks at 16 of its bytes.
int holds(const unsigned char *block, size_t length, unsigned long number);

// Reads or writes a whole block, in as many calls as it takes. Returns the bytes until the end of the file.
size_t read_block(int fd, unsigned char *block, size_t length);
void write_block(int fd, const unsigned char *block, size_t length);

// Writes a line `calls FUNCTION NUMBER` to standard error for each WASI function that was called, this
// writing included. Nothing may be called after it.
void state_calls(void);
