// A library to be preloaded into a runtime: it puts a cause of slow calls around the C library's functions that the
// runtime works with. CAUSE says which.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef ssize_t (*writev_t)(int, const struct iovec *, int);
typedef int (*openat_t)(int, const char *, int, ...);

static int is(const char *cause)
{
    const char *set = getenv("CAUSE");
    return set && strcmp(set, cause) == 0;
}

static writev_t real_writev(void)
{
    static writev_t real;
    if (!real)
        real = (writev_t)dlsym(RTLD_NEXT, "writev");
    return real;
}

// What the helper thread is to write, and what came of it.
static struct {
    int fd, count;
    const struct iovec *parts;
    ssize_t result;
    int asked, done;
    pthread_mutex_t lock;
    pthread_cond_t change;
} work = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static void *help(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&work.lock);
    for (;;) {
        while (!work.asked)
            pthread_cond_wait(&work.change, &work.lock);
        work.asked = 0;
        work.result = real_writev()(work.fd, work.parts, work.count);
        work.done = 1;
        pthread_cond_broadcast(&work.change);
    }
    return NULL;
}

static ssize_t hand_over(int fd, const struct iovec *parts, int count)
{
    static pthread_t helper;
    pthread_mutex_lock(&work.lock);
    if (!helper)
        pthread_create(&helper, NULL, help, NULL);
    work.fd = fd;
    work.parts = parts;
    work.count = count;
    work.done = 0;
    work.asked = 1;
    pthread_cond_broadcast(&work.change);
    while (!work.done)
        pthread_cond_wait(&work.change, &work.lock);
    ssize_t result = work.result;
    pthread_mutex_unlock(&work.lock);
    return result;
}

// Writes 4 bytes at a time.
static ssize_t in_pieces(int fd, const struct iovec *parts, int count)
{
    ssize_t all = 0;
    for (int part = 0; part < count; part++)
        for (size_t at = 0; at < parts[part].iov_len; at += 4) {
            size_t left = parts[part].iov_len - at;
            ssize_t done = write(fd, (const char *)parts[part].iov_base + at, left < 4 ? left : 4);
            if (done < 0)
                return done;
            all += done;
        }
    return all;
}

// Asks for a buffer for each write, and copies into it what it can.
static ssize_t by_copy(int fd, const struct iovec *parts, int count)
{
    size_t size = 512 << 10;
    char *copy = malloc(size);
    if (!copy)
        return -1;
    memset(copy, 1, size);
    size_t length = 0;
    for (int part = 0; part < count && length + parts[part].iov_len <= size; part++) {
        memcpy(copy + length, parts[part].iov_base, parts[part].iov_len);
        length += parts[part].iov_len;
    }
    struct iovec whole = {copy, length};
    ssize_t result = real_writev()(fd, &whole, 1);
    free(copy);
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (is("hand-off"))
        return hand_over(fd, parts, count);
    if (is("pieces"))
        return in_pieces(fd, parts, count);
    if (is("copy"))
        return by_copy(fd, parts, count);
    if (is("redundant"))
        for (int round = 0; round < 3; round++)
            fcntl(fd, F_GETFL);
    ssize_t result = real_writev()(fd, parts, count);
    if (is("sync"))
        fsync(fd);
    return result;
}

int openat(int directory, const char *path, int flags, ...)
{
    static openat_t real;
    if (!real)
        real = (openat_t)dlsym(RTLD_NEXT, "openat");
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    struct stat status;
    if (is("stats"))
        for (int round = 0; round < 5; round++)
            fstatat(directory, path, &status, 0);
    return real(directory, path, flags, mode);
}
