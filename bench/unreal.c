/* Preloaded into the daemon by bench.unreal: a wall clock that jumps, and files that take no more writes.
 *
 * What it says stands in a mapped file of two 64-bit numbers, which the bench changes while the daemon runs: the
 * seconds by which the wall clock is off, and whether files below WARTA_UNREAL_UNDER are read-only. The monotonic
 * clock is never touched, as when somebody sets a real clock. Writes fail with EROFS through descriptors that are
 * open already, too, as on a file system that the kernel has turned read-only after an error; `mount -o remount,ro`
 * cannot show that, it is refused while a file is open for writing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *said;
static const char *under;
static size_t length;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("WARTA_UNREAL");
    under = getenv("WARTA_UNREAL_UNDER");
    length = under ? strlen(under) : 0;
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd < 0) return;
    void *place = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (place != MAP_FAILED) said = place;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (failed == 0 && said && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += said[0];
    return (int)failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}

/* What is touched bears the clock's time, as on a machine whose clock is off. */
int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
    struct timespec now[2];
    if (!times && said && said[0]) {
        clock_gettime(CLOCK_REALTIME, &now[0]);
        now[1] = now[0];
        times = now;
    }
    return (int)syscall(SYS_utimensat, directory, path, times, flags);
}

static int below(const char *path) {
    return length && strncmp(path, under, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int refused_path(const char *path) {
    if (!said || !said[1] || !path) return 0;
    char whole[4096];
    if (path[0] != '/') {
        if (!getcwd(whole, sizeof whole)) return 0;
        size_t used = strlen(whole);
        snprintf(whole + used, sizeof whole - used, "/%s", path);
        path = whole;
    }
    if (!below(path)) return 0;
    errno = EROFS;
    return 1;
}

static int refused(int fd) {
    if (!said || !said[1]) return 0;
    struct stat what;
    if (fstat(fd, &what) || !S_ISREG(what.st_mode)) return 0;
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(name, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    if (!below(path)) return 0;
    errno = EROFS;
    return 1;
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *from, size_t size) {
    NEXT(write);
    return refused(fd) ? -1 : next(fd, from, size);
}

ssize_t writev(int fd, const struct iovec *from, int count) {
    NEXT(writev);
    return refused(fd) ? -1 : next(fd, from, count);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    NEXT(pwrite);
    return refused(fd) ? -1 : next(fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    NEXT(pwrite64);
    return refused(fd) ? -1 : next(fd, from, size, at);
}

int ftruncate(int fd, off_t size) {
    NEXT(ftruncate);
    return refused(fd) ? -1 : next(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    NEXT(ftruncate64);
    return refused(fd) ? -1 : next(fd, size);
}

int unlink(const char *path) {
    NEXT(unlink);
    return refused_path(path) ? -1 : next(path);
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    return refused_path(to) ? -1 : next(from, to);
}

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    return refused_path(path) ? -1 : next(path, mode);
}

#define WRITES(flags) (((flags) & O_ACCMODE) != O_RDONLY || ((flags) & (O_CREAT | O_TRUNC)))
#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags);
    if (WRITES(flags) && refused_path(path)) return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags);
    if (WRITES(flags) && refused_path(path)) return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
