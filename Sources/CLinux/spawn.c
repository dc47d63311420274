#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"

enum { stack_size = 64 * 1024, first_passed = 3, last_signal = 64 };

/// What the child reads and writes. It lives on the parent's stack; the parent is suspended until exec (CLONE_VFORK).
struct child {
    const struct rk_spawn *what;
    volatile int stage;
    volatile int error;
};

// The child shares the caller's memory, so it must not use libc's wrappers that touch other threads (setresuid), nor
// anything that allocates. These are bare system calls; `syscall` sets errno of the suspended caller, which is restored.

static int reset_signals(void) {
    // CLONE_CLEAR_SIGHAND resets handlers; what was ignored (SIGPIPE in every daemon) must not reach the program.
    // The kernel's own structure and call: sigaction(3) leaves out 32 and 33, which libc keeps for itself.
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } action = {.handler = NULL /* SIG_DFL */};
    for (int signal = 1; signal <= last_signal; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        if (syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof action.mask) != 0) return -1;
    }
    return 0;
}

static int unblock_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
}

static int enter_cgroups(const struct rk_spawn *what) {
    for (size_t index = 0; index < what->task_count; index++) {
        // 0 stands for the writer itself.
        if (write(what->tasks[index], "0", 1) != 1) return -1;
    }
    return 0;
}

/// Places 0, 1, 2 and the passed descriptors; everything above them closes at exec.
static int place_descriptors(const struct rk_spawn *what) {
    // Sources may lie where another one must go: copy all of them out of the way first.
    int count = (int)what->descriptor_count;
    int above = first_passed + count;
    int copies[RK_SPAWN_DESCRIPTORS + first_passed];
    for (int index = 0; index < above; index++) {
        int source = index < first_passed ? what->standard[index] : what->descriptors[index - first_passed];
        copies[index] = fcntl(source, F_DUPFD_CLOEXEC, above);
        if (copies[index] < 0) return -1;
    }
    for (int index = 0; index < above; index++) {
        if (dup3(copies[index], index, 0) < 0) return -1;
    }
    return close_range((unsigned)above, ~0U, CLOSE_RANGE_CLOEXEC);
}

/// Makes the capabilities of a new user namespace ambient: without mapped ids, exec would drop them.
static int keep_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return -1;
    data[0].inheritable = data[0].permitted;
    data[1].inheritable = data[1].permitted;
    if (syscall(SYS_capset, &header, data) != 0) return -1;
    for (unsigned long capability = 0; capability < 64; capability++) {
        unsigned permitted = data[capability / 32].permitted;
        if ((permitted & (1U << (capability % 32))) == 0) continue;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return -1;
    }
    return 0;
}

static void fail(struct child *child) {
    child->error = errno;
    syscall(SYS_exit_group, 127);
    __builtin_unreachable();
}

__attribute__((noreturn, used)) static void run_child(struct child *child) {
    const struct rk_spawn *what = child->what;

    child->stage = RK_STAGE_SIGNALS;
    if (reset_signals() != 0) fail(child);

    child->stage = RK_STAGE_CGROUP;
    if (enter_cgroups(what) != 0) fail(child);

    // Before the passed descriptors are placed: one of them may need the directory's own number.
    child->stage = RK_STAGE_DIRECTORY;
    if (what->directory >= 0 && fchdir(what->directory) != 0) fail(child);

    child->stage = RK_STAGE_DESCRIPTORS;
    // A copy above the passed ones: the caller's own number may be needed for one of them.
    int program = fcntl(what->program, F_DUPFD_CLOEXEC, first_passed + (int)what->descriptor_count);
    if (program < 0 || place_descriptors(what) != 0) fail(child);

    child->stage = RK_STAGE_SESSION;
    if (what->new_session && setsid() < 0) fail(child);
    if (what->umask >= 0) syscall(SYS_umask, what->umask);

    child->stage = RK_STAGE_CAPABILITIES;
    if (what->shed_privileges) {
        int shed = rk_shed_privileges();
        if (shed < 0) {
            errno = -shed;
            fail(child);
        }
    }
    if (what->set_ids) {
        child->stage = RK_STAGE_GROUPS;
        if (syscall(SYS_setgroups, 0, NULL) != 0) fail(child);
        child->stage = RK_STAGE_GID;
        if (syscall(SYS_setresgid, what->gid, what->gid, what->gid) != 0) fail(child);
        child->stage = RK_STAGE_UID;
        if (syscall(SYS_setresuid, what->uid, what->uid, what->uid) != 0) fail(child);
    }
    child->stage = RK_STAGE_CAPABILITIES;
    if ((what->namespaces & RK_NEW_USER) != 0 && keep_capabilities() != 0) fail(child);

    child->stage = RK_STAGE_SIGNALS;
    if (unblock_signals() != 0) fail(child);
    child->stage = RK_STAGE_EXEC;
    syscall(SYS_execveat, program, "", what->argv, what->envp, AT_EMPTY_PATH);
    fail(child);
    __builtin_unreachable();
}

/// clone3(2) whose child calls `run_child(child)` on the new stack and never returns into the caller's frames.
static long clone_onto_stack(struct clone_args *arguments, struct child *child) {
#if defined(__x86_64__)
    long result;
    register struct child *passed __asm__("r12") = child;
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %%r12, %%rdi\n\t"
        "call *%[run]\n\t"
        "hlt\n"
        "1:"
        : "=a"(result)
        : "a"((long)SYS_clone3), "D"(arguments), "S"(sizeof *arguments), [run] "r"(run_child), "r"(passed)
        : "rcx", "r11", "memory", "cc");
    return result;
#elif defined(__aarch64__)
    register long number __asm__("x8") = SYS_clone3;
    register long first __asm__("x0") = (long)arguments;
    register long second __asm__("x1") = (long)sizeof *arguments;
    register struct child *passed __asm__("x20") = child;
    register void (*run)(struct child *) __asm__("x21") = run_child;
    __asm__ volatile(
        "svc #0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, xzr\n\t"
        "mov x30, xzr\n\t"
        "mov x0, x20\n\t"
        "blr x21\n\t"
        "brk #0\n"
        "1:"
        : "+r"(first)
        : "r"(number), "r"(second), "r"(passed), "r"(run)
        : "memory", "cc");
    return first;
#else
#error "rk_spawn: write clone_onto_stack for this architecture"
#endif
}

static pid_t refuse(struct rk_spawn_failure *failure, enum rk_spawn_stage stage, int error) {
    failure->stage = stage;
    failure->error = error;
    return -error;
}

pid_t rk_spawn(const struct rk_spawn *what, int *pidfd, struct rk_spawn_failure *failure) {
    int saved_errno = errno;
    *failure = (struct rk_spawn_failure){.stage = RK_STAGE_NONE};
    if (what->descriptor_count > RK_SPAWN_DESCRIPTORS) return refuse(failure, RK_STAGE_PREPARE, EINVAL);

    char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return refuse(failure, RK_STAGE_PREPARE, errno);

    // No handler of the caller may run in the child, which shares its memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);

    int descriptor = -1;
    struct child child = {.what = what};
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | what->namespaces,
        .pidfd = (uint64_t)(uintptr_t)&descriptor,
        .exit_signal = SIGCHLD,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = stack_size,
    };
    if (what->cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)what->cgroup;
    }
    long pid = clone_onto_stack(&arguments, &child);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, stack_size);
    errno = saved_errno;
    if (pid < 0) return refuse(failure, RK_STAGE_CLONE, (int)-pid);
    if (child.error != 0) {
        while (waitpid((pid_t)pid, NULL, __WALL) < 0 && errno == EINTR) {}
        close(descriptor);
        errno = saved_errno;
        return refuse(failure, (enum rk_spawn_stage)child.stage, child.error);
    }
    *pidfd = descriptor;
    return (pid_t)pid;
}

const char *rk_spawn_stage_name(enum rk_spawn_stage stage) {
    switch (stage) {
    case RK_STAGE_NONE: return "none";
    case RK_STAGE_PREPARE: return "prepare";
    case RK_STAGE_CLONE: return "clone3";
    case RK_STAGE_SIGNALS: return "signals";
    case RK_STAGE_CGROUP: return "cgroup";
    case RK_STAGE_DESCRIPTORS: return "descriptors";
    case RK_STAGE_SESSION: return "setsid";
    case RK_STAGE_DIRECTORY: return "fchdir";
    case RK_STAGE_GROUPS: return "setgroups";
    case RK_STAGE_GID: return "setresgid";
    case RK_STAGE_UID: return "setresuid";
    case RK_STAGE_CAPABILITIES: return "capabilities";
    case RK_STAGE_EXEC: return "exec";
    }
    return "unknown";
}
