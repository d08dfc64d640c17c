// Counts WASI calls: the linker puts these functions around those that libc imports (--wrap). What a workload
// does not use is not linked, and so not imported.
#include "workload.h"

#include <string.h>
#include <wasi/api.h>

// clang-format off
#define FUNCTIONS(F) \
    F(args_get, (uint8_t **a, uint8_t *b), (a, b)) \
    F(args_sizes_get, (__wasi_size_t *a, __wasi_size_t *b), (a, b)) \
    F(clock_time_get, (__wasi_clockid_t a, __wasi_timestamp_t b, __wasi_timestamp_t *c), (a, b, c)) \
    F(fd_close, (__wasi_fd_t a), (a)) \
    F(fd_fdstat_get, (__wasi_fd_t a, __wasi_fdstat_t *b), (a, b)) \
    F(fd_filestat_get, (__wasi_fd_t a, __wasi_filestat_t *b), (a, b)) \
    F(fd_prestat_dir_name, (__wasi_fd_t a, uint8_t *b, __wasi_size_t c), (a, b, c)) \
    F(fd_prestat_get, (__wasi_fd_t a, __wasi_prestat_t *b), (a, b)) \
    F(fd_read, (__wasi_fd_t a, const __wasi_iovec_t *b, size_t c, __wasi_size_t *d), (a, b, c, d)) \
    F(fd_readdir, (__wasi_fd_t a, uint8_t *b, __wasi_size_t c, __wasi_dircookie_t d, __wasi_size_t *e), (a, b, c, d, e)) \
    F(fd_seek, (__wasi_fd_t a, __wasi_filedelta_t b, __wasi_whence_t c, __wasi_filesize_t *d), (a, b, c, d)) \
    F(fd_write, (__wasi_fd_t a, const __wasi_ciovec_t *b, size_t c, __wasi_size_t *d), (a, b, c, d)) \
    F(path_filestat_get, (__wasi_fd_t a, __wasi_lookupflags_t b, const char *c, __wasi_filestat_t *d), (a, b, c, d)) \
    F(path_open, (__wasi_fd_t a, __wasi_lookupflags_t b, const char *c, __wasi_oflags_t d, __wasi_rights_t e, __wasi_rights_t f, __wasi_fdflags_t g, __wasi_fd_t *h), (a, b, c, d, e, f, g, h)) \
    F(random_get, (uint8_t *a, __wasi_size_t b), (a, b))
// clang-format on

enum {
#define F(name, parameters, arguments) CALLS_##name,
    FUNCTIONS(F)
#undef F
    CALLS
};

static unsigned long calls[CALLS];

static const char *const names[CALLS] = {
#define F(name, parameters, arguments) #name,
    FUNCTIONS(F)
#undef F
};

#define F(name, parameters, arguments) \
    __wasi_errno_t __real___wasi_##name parameters; \
    __wasi_errno_t __wrap___wasi_##name parameters; \
    __wasi_errno_t __wrap___wasi_##name parameters \
    { \
        calls[CALLS_##name]++; \
        return __real___wasi_##name arguments; \
    }
FUNCTIONS(F)
#undef F

static char *append(char *end, const char *text)
{
    size_t length = strlen(text);
    memcpy(end, text, length);
    return end + length;
}

static char *append_number(char *end, unsigned long number)
{
    char digits[24];
    char *first = digits + sizeof digits;
    *--first = 0;
    do
        *--first = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return append(end, first);
}

void state_calls(void)
{
    static char text[CALLS * 64];
    char *end = text;
    calls[CALLS_fd_write]++;
    for (int at = 0; at < CALLS; at++) {
        if (calls[at] == 0)
            continue;
        end = append(end, "calls ");
        end = append(end, names[at]);
        end = append(end, " ");
        end = append_number(end, calls[at]);
        end = append(end, "\n");
    }
    const __wasi_ciovec_t all = {(const uint8_t *)text, (size_t)(end - text)};
    __wasi_size_t written;
    if (__real___wasi_fd_write(2, &all, 1, &written) != 0)
        fail("cannot state the calls");
}
