/* A file system without file locks, as Lustre without `-o flock`: preloaded by test_doctor.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

static int is_below(int file) {
    char link[64], name[4096];
    const char *below = getenv("NO_LOCKS_BELOW");
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (below == NULL || length < 0) return 0;
    name[length] = 0;
    return strncmp(name, below, strlen(below)) == 0;
}

int flock(int file, int operation) {
    static int (*real)(int, int);
    if (!real) real = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    if (is_below(file)) { errno = ENOSYS; return -1; }
    return real(file, operation);
}

static int lock_or_pass(const char *symbol, int file, int command, void *argument) {
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, symbol);
    int locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK;
    if (locks && is_below(file)) { errno = ENOLCK; return -1; }
    return real(file, command, argument);
}

int fcntl(int file, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return lock_or_pass("fcntl", file, command, argument);
}

int fcntl64(int file, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return lock_or_pass("fcntl64", file, command, argument);
}
