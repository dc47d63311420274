#ifndef ROOKERY_PLAN_H
#define ROOKERY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The launch plan: what the launcher wants done, in order, written by LaunchPlan.swift.
//
// A file of NUL-terminated fields, at most PLAN_BYTES long. The first field is PLAN_HEADER; then come the steps, each
// its name and then as many arguments as the table in steps.c says. Numbers are decimal; modes are octal. Paths are
// absolute as the inside will see them, except the sources of `pin` and the place of `root`, which are the host's.
//
// While the plan runs, mounts lie in slots, numbered from 0 in the order in which they came: first those that the
// launcher sent with its greeting, then one for each `pin` and `clone`.

#define PLAN_HEADER "rookery-plan 1"

enum {
    PLAN_BYTES = 512 * 1024,
    PLAN_SLOTS = 500,
    PLAN_ARGUMENTS = 1024,
    PLAN_STEP_ARGUMENTS = 6,
    PLAN_PLACES = 64,
};

/// A directory or file, and what the command may do with all that lies at it (Landlock).
struct place {
    uint64_t rights;
    const char *path;
};

/// The descriptors that rookery-init is born with.
enum {
    CONTROL = 3,         ///< SOCK_SEQPACKET to the launcher.
    PLAN = 4,            ///< memfd with the plan.
    LEASH = 5,           ///< Read end: a byte is a signal number, the end is the end of the sandbox.
    STATUS = 6,          ///< Write end: `code <n>` or `signal <n>` when the command has ended.
    ARGUMENT_FILTER = 7, ///< memfd with a BPF program: the command's seccomp filter that looks at arguments.
    NUMBER_FILTER = 8,   ///< The command's filter that lists the calls it may make.
    INIT_FILTER = 9,     ///< The filter of PID 1.
    VIOLATIONS = 10,     ///< Unix socket to whoever answers refused calls: takes the filter's listener.
    FIRST_FREE = 11,
};

/// What the steps find out for one another and for the command.
struct launch {
    int slots[PLAN_SLOTS];
    size_t slot_count;
    bool mapped_root; ///< Root mode: ids 0 and 1000 exist; else 1000 alone.
    int master;       ///< PTY master, or -1.
    int slave;
    /// The command keeps the standard streams that rookery-init was born with; the terminal is only its controlling one.
    bool streams;
    const char *directory;
    uint64_t capabilities; ///< What the command keeps, a bit per number.
    struct place places[PLAN_PLACES];
    size_t place_count;
    char *arguments[PLAN_ARGUMENTS + 1];
    size_t argument_count;
    char *environment[PLAN_ARGUMENTS + 1];
    size_t environment_count;
};

/// The command's ids inside.
enum { COMMAND_ID = 1000 };

/// Reads the plan and carries out every step; reports the first failure to the launcher and exits.
void carry_out_plan(struct launch *launch);

#endif
