// The outside half: makes on the host what the probes reach for, runs the sandbox, and looks at what outlived it.

#include "outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"
#include "targets.h"

enum { most_arguments = 256, workspace_owner = 54321 };

static char directory[128], workspace[160], own_program[256];
static pid_t victim = -1;
static int segment = -1;

static int complain(const char *what) {
    fprintf(stderr, "attacks: %s: %s\n", what, strerror(errno));
    return -1;
}

static int write_file(const char *path, const char *text, mode_t mode) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) return -1;
    ssize_t written = write(file, text, strlen(text));
    int result = fchmod(file, mode);
    close(file);
    return written == (ssize_t)strlen(text) ? result : -1;
}

static int copy_program(const char *target) {
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (from < 0 || to < 0) return -1;
    char block[65536];
    ssize_t count;
    while ((count = read(from, block, sizeof block)) > 0) {
        if (write(to, block, (size_t)count) != count) return -1;
    }
    close(from);
    return fchmod(to, 0755) != 0 || close(to) != 0 ? -1 : (int)count;
}

static int make_directories(void) {
    strcpy(directory, "/tmp/rookery-attacks-XXXXXX");
    if (mkdtemp(directory) == NULL || chmod(directory, 0755) != 0) return complain("directory");
    snprintf(workspace, sizeof workspace, "%s/workspace", directory);
    // Its last part: what lies above may be another mount.
    snprintf(targets.parent, sizeof targets.parent, "%s", strrchr(directory, '/') + 1);
    snprintf(targets.file, sizeof targets.file, "%s/other-tenant", directory);
    if (mkdir(workspace, 0755) != 0 || write_file(targets.file, "another tenant's", 0666) != 0)
        return complain("another tenant's file");
    snprintf(own_program, sizeof own_program, "%s/attacks", workspace);
    if (copy_program(own_program) != 0) return complain("copy of this program");
    if (geteuid() != 0) return 0;
    // Root's own directory would not be taken as a workspace.
    return chown(workspace, workspace_owner, workspace_owner) == 0 ? 0 : complain("owner of the workspace");
}

static int listen_on(const struct sockaddr *address, socklen_t length) {
    int file = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0 || bind(file, address, length) != 0 || listen(file, 16) != 0) return complain("socket");
    return file;
}

static int make_sockets(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(targets.abstract, sizeof targets.abstract, "rookery-attacks-%d", (int)getpid());
    size_t length = strlen(targets.abstract);
    memcpy(address.sun_path + 1, targets.abstract, length);
    if (listen_on((struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) < 0)
        return -1;
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    snprintf(targets.socket, sizeof targets.socket, "%.90s/socket", directory);
    strcpy(path.sun_path, targets.socket);
    if (listen_on((struct sockaddr *)&path, sizeof path) < 0 || chmod(targets.socket, 0666) != 0) return -1;
    struct sockaddr_in port = {.sin_family = AF_INET};
    port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int file = listen_on((struct sockaddr *)&port, sizeof port);
    socklen_t size = sizeof port;
    if (file < 0 || getsockname(file, (struct sockaddr *)&port, &size) != 0) return -1;
    snprintf(targets.port, sizeof targets.port, "%u", ntohs(port.sin_port));
    return 0;
}

static void make_memory(void) {
    char path[128];
    snprintf(targets.memory, sizeof targets.memory, "rookery-attacks-%d", (int)getpid());
    snprintf(path, sizeof path, "/dev/shm/%s", targets.memory);
    if (write_file(path, "another's", 0666) != 0) targets.memory[0] = '\0';
    key_t key = (key_t)(0x526b0000 + getpid());
    segment = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0666);
    if (segment >= 0) snprintf(targets.segment, sizeof targets.segment, "%d", (int)key);
    snprintf(targets.queue, sizeof targets.queue, "/rookery-attacks-%d", (int)getpid());
    long queue = syscall(SYS_mq_open, targets.queue + 1, O_RDWR | O_CREAT | O_EXCL, 0666, NULL);
    if (queue < 0) targets.queue[0] = '\0';
}

static void make_secrets(void) {
    snprintf(targets.secret, sizeof targets.secret, "attack-secret-%d", (int)getpid());
    setenv("LAUNCHER_SECRET", targets.secret, 1);
    // A session keyring of this run, so that no other one is touched.
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0) return;
    long key = syscall(SYS_add_key, "user", "rookery-attack", targets.secret, strlen(targets.secret),
        KEY_SPEC_SESSION_KEYRING);
    if (key >= 0) syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f3f3f3f);
}

static int make_victim(void) {
    victim = fork();
    if (victim < 0) return complain("victim");
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
    }
    snprintf(targets.process, sizeof targets.process, "%d", (int)victim);
    return 0;
}

static void make_leaks(void) {
    // Descriptors without close-on-exec, as a careless supervisor has them: a file and a directory of the host.
    int file = open(targets.file, O_RDONLY), root = open("/", O_RDONLY | O_DIRECTORY);
    if (file < 0 || root < 0) complain("descriptors");
}

static void make_share(void) {
    if (geteuid() != 0) return;
    snprintf(targets.share, sizeof targets.share, "/usr/local/share/rookery-attacks-%d", (int)getpid());
    if (write_file(targets.share, "of the host's uid 1000", 0600) != 0 || chown(targets.share, 1000, 1000) != 0)
        targets.share[0] = '\0';
}

static void first_line(const char *path, char *text, size_t capacity) {
    if (read_text(path, text, capacity) < 0) text[0] = '\0';
    text[strcspn(text, " \n")] = '\0';
}

static void describe_host(void) {
    struct utsname name;
    if (uname(&name) == 0) snprintf(targets.hostname, sizeof targets.hostname, "%.64s", name.nodename);
    first_line("/etc/machine-id", targets.machine, sizeof targets.machine);
    first_line("/proc/sys/kernel/random/boot_id", targets.boot, sizeof targets.boot);
    first_line("/proc/uptime", targets.uptime, sizeof targets.uptime);
}

static void clean(void) {
    char path[256];
    if (victim > 0) {
        kill(victim, SIGKILL);
        waitpid(victim, NULL, 0);
    }
    if (segment >= 0) shmctl(segment, IPC_RMID, NULL);
    if (targets.queue[0] != '\0') syscall(SYS_mq_unlink, targets.queue + 1);
    snprintf(path, sizeof path, "/dev/shm/%s", targets.memory);
    if (targets.memory[0] != '\0') unlink(path);
    if (targets.share[0] != '\0') unlink(targets.share);
    // The workspace holds what the probes left there; nothing in it is followed.
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--one-file-system", "--", directory, (char *)NULL);
        _exit(127);
    }
    if (child > 0) waitpid(child, NULL, 0);
}

/// The command with `@workspace` and `@inside` filled in.
static int expand(char **given, char **command) {
    size_t count = 0;
    for (; *given != NULL; given++) {
        if (count + 32 > most_arguments) return -1;
        if (strcmp(*given, "@workspace") == 0) {
            command[count++] = workspace;
        } else if (strcmp(*given, "@inside") == 0) {
            command[count++] = "/workspace/attacks";
            command[count++] = "inside";
            count += write_targets(command + count, 31);
        } else {
            command[count++] = *given;
        }
    }
    command[count] = NULL;
    return 0;
}

enum { seconds_for_all = 240 };

static int run_command(char **command) {
    pid_t child = fork();
    if (child < 0) return complain("fork");
    if (child == 0) {
        execvp(command[0], command);
        complain(command[0]);
        _exit(127);
    }
    int status;
    // A sandbox whose pid 1 the inside could stop would never end.
    for (int waited = 0; waited < seconds_for_all * 20; waited++) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (ended < 0 && errno != EINTR) return complain("waitpid");
        usleep(50 * 1000);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    printf("outliving\tend with its command\tended\tBREACH\tkilled after %d s\n", seconds_for_all);
    return 1;
}

/// Whether what `name` stands for still holds its lock after the sandbox has ended.
static int survived(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/alive.%s", workspace, name);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return 0;
    int held = -1;
    // The kernel takes a pid namespace down a moment after its first process.
    for (int attempt = 0; attempt < 100 && held != 0; attempt++) {
        held = flock(file, LOCK_EX | LOCK_NB);
        if (held != 0) usleep(20 * 1000);
    }
    close(file);
    return held != 0;
}

static int report_survivors(void) {
    static const char *const names[] = {"daemon", "stopped", "spinning", "forking", "vfork"};
    int breaches = 0;
    for (size_t index = 0; index < COUNT(names); index++) {
        int alive = survived(names[index]);
        breaches += alive;
        printf("outliving\t%s after the end\tgone\t%s\t%s\n", names[index], alive ? "BREACH" : "held",
            alive ? "it runs" : "gone");
    }
    int intact = access(targets.file, F_OK) == 0 && kill(victim, 0) == 0;
    printf("outliving\tthe host's file and process\tuntouched\t%s\t%s\n", intact ? "held" : "BREACH",
        intact ? "untouched" : "gone");
    fflush(stdout);
    return breaches + !intact;
}

static int take_user(const char *text) {
    char *end;
    unsigned long user = strtoul(text, &end, 10);
    if (*end != '\0' || user == 0 || user > 0xfffffffe) return -1;
    if (setgroups(0, NULL) != 0 || setresgid((gid_t)user, (gid_t)user, (gid_t)user) != 0) return -1;
    return setresuid((uid_t)user, (uid_t)user, (uid_t)user);
}

/// `mode=…` and `bounded=…` go to the inside; `user=N` becomes that user first.
static char **take_options(char **arguments) {
    for (; *arguments != NULL && strchr(*arguments, '=') != NULL && (*arguments)[0] != '/'; arguments++) {
        if (strncmp(*arguments, "user=", 5) == 0) {
            if (take_user(*arguments + 5) != 0) {
                complain(*arguments);
                return NULL;
            }
            continue;
        }
        char *one[] = {*arguments, NULL};
        if (read_targets(one) != 0) return NULL;
    }
    return arguments;
}

int run_outside(char **arguments) {
    umask(022);
    arguments = take_options(arguments);
    if (arguments == NULL || *arguments == NULL) return 2;
    if (make_directories() != 0) return 2;
    int result = 2;
    char *command[most_arguments];
    describe_host();
    make_secrets();
    make_memory();
    make_share();
    if (make_sockets() == 0 && make_victim() == 0 && expand(arguments, command) == 0) {
        make_leaks();
        result = run_command(command);
        if (result == 0 || result == 1) result = report_survivors() != 0 ? 1 : result;
        else fprintf(stderr, "attacks: the sandbox ended with %d\n", result);
    }
    clean();
    return result;
}
