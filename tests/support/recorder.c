/* Preloaded into a process, this notes what it does to the files below a folder, in the order in
 * which it happens: SQLite writes from C, where nothing in Python can watch.
 *
 * Nothing is noted until `record` is called. Each call into the kernel and its note are made under
 * one lock, so that the notes are in the order of what they tell. System calls are made directly:
 * these functions stand in place of those of the C library.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int notes = -1;
static char root[PATH_MAX];
static size_t root_length;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void put(const void *data, size_t size) {
    for (const char *next = data; size > 0;) {
        long done = syscall(SYS_write, notes, next, size);
        if (done <= 0) _exit(71); /* an incomplete record would prove anything */
        next += done;
        size -= done;
    }
}

static void note(const char *format, ...) {
    char line[2 * PATH_MAX + 100];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    put(line, size);
}

static int below_root(const char *path) {
    return notes >= 0 && !strncmp(path, root, root_length) &&
           (path[root_length] == '/' || path[root_length] == 0);
}

static int path_of(int handle, char *path) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = 0;
    return size > 0;
}

/* The absolute path of a name in a folder; whether it is below the root. */
static int place(int folder, const char *name, char *path) {
    if (notes < 0) return 0;
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
    } else {
        if (folder == AT_FDCWD ? !getcwd(path, PATH_MAX) : !path_of(folder, path)) return 0;
        size_t length = strlen(path);
        snprintf(path + length, PATH_MAX - length, "/%s", name);
    }
    return below_root(path);
}

/* Whether an open file or folder is below the root. */
static int is_ours(int handle, struct stat *found, char *path) {
    return notes >= 0 && !fstat(handle, found) &&
           (S_ISREG(found->st_mode) || S_ISDIR(found->st_mode)) && path_of(handle, path) &&
           below_root(path);
}

void record(const char *file, const char *folder) {
    notes = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    root_length = snprintf(root, sizeof root, "%s", folder);
}

void mark(const char *text) {
    pthread_mutex_lock(&turn);
    note("mark %s\n", text);
    pthread_mutex_unlock(&turn);
}

/* --- files ----------------------------------------------------------------------------------- */

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || !place(folder, name, path))
        return syscall(SYS_openat, folder, name, flags, mode);
    pthread_mutex_lock(&turn);
    struct stat before, found;
    int was_there = !fstatat(AT_FDCWD, path, &before, 0);
    int handle = syscall(SYS_openat, folder, name, flags, mode);
    if (handle >= 0 && !fstat(handle, &found)) {
        if (!was_there)
            note("create %lu %s\n", (unsigned long)found.st_ino, path);
        else if (flags & O_TRUNC)
            note("truncate %lu 0\n", (unsigned long)found.st_ino);
    }
    pthread_mutex_unlock(&turn);
    return handle;
}

#define MODE                                                                                       \
    mode_t mode = 0;                                                                               \
    if (flags & O_CREAT) {                                                                         \
        va_list values;                                                                            \
        va_start(values, flags);                                                                   \
        mode = va_arg(values, mode_t);                                                             \
        va_end(values);                                                                            \
    }

int open(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags, mode); }
int openat(int folder, const char *name, int flags, ...) {
    MODE return opened(folder, name, flags, mode);
}
int openat64(int folder, const char *name, int flags, ...) {
    MODE return opened(folder, name, flags, mode);
}

static ssize_t written(int handle, const void *data, size_t size, off_t offset) {
    struct stat found;
    char path[PATH_MAX];
    int here = offset < 0;
    if (!is_ours(handle, &found, path))
        return here ? syscall(SYS_write, handle, data, size)
                    : syscall(SYS_pwrite64, handle, data, size, offset);
    pthread_mutex_lock(&turn);
    if (here) {
        fstat(handle, &found);
        int appends = fcntl(handle, F_GETFL) & O_APPEND;
        offset = appends ? found.st_size : lseek(handle, 0, SEEK_CUR);
    }
    ssize_t done = here ? syscall(SYS_write, handle, data, size)
                        : syscall(SYS_pwrite64, handle, data, size, offset);
    if (done > 0) {
        note("write %lu %lld %zd\n", (unsigned long)found.st_ino, (long long)offset, done);
        put(data, done);
    }
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t write(int handle, const void *data, size_t size) {
    return written(handle, data, size, -1);
}
ssize_t pwrite(int handle, const void *data, size_t size, off_t offset) {
    return written(handle, data, size, offset);
}
ssize_t pwrite64(int handle, const void *data, size_t size, off64_t offset) {
    return written(handle, data, size, offset);
}

static int truncated(int handle, off_t size) {
    struct stat found;
    char path[PATH_MAX];
    if (!is_ours(handle, &found, path)) return syscall(SYS_ftruncate, handle, size);
    pthread_mutex_lock(&turn);
    int failed = syscall(SYS_ftruncate, handle, size);
    if (!failed) note("truncate %lu %lld\n", (unsigned long)found.st_ino, (long long)size);
    pthread_mutex_unlock(&turn);
    return failed;
}

int ftruncate(int handle, off_t size) { return truncated(handle, size); }
int ftruncate64(int handle, off64_t size) { return truncated(handle, size); }

static int synced(long call, int handle) {
    struct stat found;
    char path[PATH_MAX];
    if (!is_ours(handle, &found, path)) return syscall(call, handle);
    pthread_mutex_lock(&turn);
    int failed = syscall(call, handle);
    if (!failed && S_ISDIR(found.st_mode)) note("sync_folder %s\n", path);
    if (!failed && S_ISREG(found.st_mode)) note("sync %lu\n", (unsigned long)found.st_ino);
    pthread_mutex_unlock(&turn);
    return failed;
}

int fsync(int handle) { return synced(SYS_fsync, handle); }
int fdatasync(int handle) { return synced(SYS_fdatasync, handle); }

/* --- names ----------------------------------------------------------------------------------- */

static int moved(int from, const char *old, int to, const char *new, unsigned flags) {
    char was[PATH_MAX], is[PATH_MAX];
    int ours = place(from, old, was);
    ours |= place(to, new, is);
    if (!ours) return syscall(SYS_renameat2, from, old, to, new, flags);
    pthread_mutex_lock(&turn);
    int failed = syscall(SYS_renameat2, from, old, to, new, flags);
    if (!failed) note("rename %s\t%s\n", was, is);
    pthread_mutex_unlock(&turn);
    return failed;
}

int rename(const char *old, const char *new) { return moved(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int to, const char *new) {
    return moved(from, old, to, new, 0);
}
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return moved(from, old, to, new, flags);
}

static int removed(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    if (!place(folder, name, path)) return syscall(SYS_unlinkat, folder, name, flags);
    pthread_mutex_lock(&turn);
    int failed = syscall(SYS_unlinkat, folder, name, flags);
    if (!failed) note("remove %s\n", path);
    pthread_mutex_unlock(&turn);
    return failed;
}

int unlink(const char *name) { return removed(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return removed(folder, name, flags); }
int rmdir(const char *name) { return removed(AT_FDCWD, name, AT_REMOVEDIR); }

static int made(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    if (!place(folder, name, path)) return syscall(SYS_mkdirat, folder, name, mode);
    pthread_mutex_lock(&turn);
    int failed = syscall(SYS_mkdirat, folder, name, mode);
    if (!failed) note("mkdir %s\n", path);
    pthread_mutex_unlock(&turn);
    return failed;
}

int mkdir(const char *name, mode_t mode) { return made(AT_FDCWD, name, mode); }
int mkdirat(int folder, const char *name, mode_t mode) { return made(folder, name, mode); }
