/* Stands before the C library's calls that bring something to the disk or move it, lets them through, and writes down those that
   succeeded, in their order, one line each: "sync PATH" or "rename FROM TO". For a test of `berth`, by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void note(const char *what, const char *one, const char *two)
{
    char line[2 * PATH_MAX + 16];
    const char *file = getenv("BERTH_TEST_SYNCS");
    int keep = errno;
    int to = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (to >= 0) {
        int length = snprintf(line, sizeof line, "%s %s%s%s\n", what, one, two ? " " : "", two ? two : "");
        if (write(to, line, (size_t)length) != length)
            abort();
        close(to);
    }
    errno = keep;
}

static int synced(const char *name, int file)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    char link[64], path[PATH_MAX];
    int result = next(file);
    if (result == 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length > 0) {
            path[length] = 0;
            note("sync", path, NULL);
        }
    }
    return result;
}

int fsync(int file) { return synced("fsync", file); }

int fdatasync(int file) { return synced("fdatasync", file); }

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    int result = next(from, to);
    if (result == 0)
        note("rename", from, to);
    return result;
}
