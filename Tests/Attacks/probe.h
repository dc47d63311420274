#ifndef ROOKERY_ATTACKS_PROBE_H
#define ROOKERY_ATTACKS_PROBE_H

#include <stdbool.h>
#include <stddef.h>

// A probe is one attempt to get out of the sandbox, across to another tenant, or beyond a limit. It runs in a process of
// its own and says how it went.

enum verdict {
    HELD,   ///< Refused, as it must be.
    BREACH, ///< It worked.
    ABSENT, ///< There is nothing here to attack: another mode, or a kernel without that part.
    KNOWN,  ///< It worked, and Docs/security.md says so.
};

struct probe {
    const char *name;
    const char *expected; ///< What must happen, for a person.
    enum verdict (*run)(void);
};

/// A system call that must be refused before it does anything: EPERM, EACCES or ENOSYS, or the process is killed.
struct call {
    const char *name;
    long number;
    long arguments[6];
};

struct family {
    const char *name;
    const struct probe *probes;
    size_t probe_count;
    const struct call *calls;
    size_t call_count;
};

extern const struct family files, kernel_files, attributes_and_quotas, processes, namespaces, mounts, devices, network,
    kernel, identity, terminals, resources, fingerprints, outliving;

/// What the harness set up outside for the probes to reach for; empty where it did not.
struct targets {
    char file[256];        ///< Another tenant's file, readable and writable by everybody on the host.
    char share[256];       ///< A file below /usr that only the host's uid 1000 may read.
    char abstract[64];     ///< Name of a listening abstract socket of the host.
    char socket[108];      ///< Path of a listening socket of the host.
    char port[8];          ///< A TCP port on the host's loopback.
    char process[16];      ///< A process of the host.
    char secret[64];       ///< What is in the environment of the launcher, and in its session keyring.
    char memory[64];       ///< Name in the host's /dev/shm.
    char segment[16];      ///< Key of a System V shared memory segment of the host.
    char queue[64];        ///< Name of a POSIX message queue of the host.
    char hostname[65];     ///< The host's name.
    char machine[33];      ///< The host's machine-id.
    char boot[37];         ///< The host's boot_id.
    char uptime[16];       ///< Seconds since the host's boot.
    char parent[256];      ///< Name of the host's directory that holds the workspace.
    char mode[16];         ///< `root` or `rootless`.
    char bounded[16];      ///< `yes` when the memory of all processes together is limited here.
};
extern struct targets targets;

/// What a probe found, for the table; the last one counts.
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// HELD when `result` says that the call failed with an errno by which a sandbox refuses; else BREACH. Says which.
enum verdict refused(long result);
/// The same for opening: also when nothing is there.
enum verdict unreachable(long result);
/// HELD when the call failed with exactly this errno.
enum verdict failed_with(long result, int expected);

/// Opens a path and closes it again: ``unreachable``.
enum verdict try_open(const char *path, int flags);
/// Reads a whole small file into the text: its length, or -1.
long read_text(const char *path, char *text, size_t capacity);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
