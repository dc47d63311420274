#ifndef ROOKERY_DESCRIPTORS_H
#define ROOKERY_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Every function returns >= 0 on success and -errno on failure. Every descriptor made here closes on exec.

/// The most descriptors that one message carries (the kernel's SCM_MAX_FD).
#define RK_MESSAGE_DESCRIPTORS 253

/// Makes a connected pair of Unix sockets; `type` is SOCK_STREAM or SOCK_SEQPACKET.
int rk_socket_pair(int type, int pair[2]);

/// Makes a pipe: `pair[0]` reads, `pair[1]` writes.
int rk_pipe(int pair[2]);

/// Sends `count` bytes (at least one) and `descriptor_count` descriptors as one message (SCM_RIGHTS), without SIGPIPE.
/// Returns the bytes sent: on a stream possibly fewer than asked, then all descriptors went with the first of them.
ssize_t rk_send_descriptors(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// Receives one message of at most `capacity` bytes and its descriptors. Returns the bytes received, 0 at the end.
/// `flags` are those of recvmsg(2), such as MSG_DONTWAIT. A message longer than `capacity`, or with more descriptors
/// than `descriptor_capacity`, is an error (-EMSGSIZE, -EMFILE) and leaves no descriptor open.
ssize_t rk_receive_descriptors(
    int socket, void *bytes, size_t capacity, int *descriptors, size_t descriptor_capacity, size_t *descriptor_count,
    int flags);

/// Waits until `descriptor` is readable or hung up: 1 when it is, 0 after `milliseconds` (-1: for ever).
int rk_wait_readable(int descriptor, int milliseconds);

/// A memfd with these bytes that nobody can change any more, its offset at the start.
int rk_sealed_memory(const char *name, const void *bytes, size_t count);

/// Opens a pidfd for a process.
int rk_pidfd_open(pid_t pid);

/// Sends a signal to the process of a pidfd; 0 tests for its existence.
int rk_pidfd_send_signal(int pidfd, int signal);

/// How a child ended.
struct rk_exit {
    /// CLD_EXITED, CLD_KILLED or CLD_DUMPED.
    int code;
    /// Exit code, or number of the signal.
    int status;
};

/// Waits for the child of a pidfd and reaps it: 1 when it has ended; 0 when it runs still and `block` is 0.
int rk_pidfd_wait(int pidfd, int block, struct rk_exit *result);

/// Closes every descriptor from `first` on.
int rk_close_from(unsigned first);

/// Sets or clears close-on-exec.
int rk_set_close_on_exec(int descriptor, int on);

#endif
