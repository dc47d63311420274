#ifndef ROOKERY_SEQPACKET_H
#define ROOKERY_SEQPACKET_H

// Unix sockets of the kind SOCK_SEQPACKET: a connection whose messages keep their bounds. All are non-blocking and close
// on exec. Every function returns >= 0 on success and -errno on failure.

/// Listens at `path`, in the place of a socket that was left there. Returns the descriptor.
int rk_seqpacket_listen(const char *path, int backlog);

/// Takes the next connection of a listening socket; -EAGAIN when there is none.
int rk_seqpacket_accept(int listener);

/// Connects to `path`, at once or not at all: -EAGAIN when the listener has no room. Returns the descriptor.
int rk_seqpacket_connect(const char *path);

#endif
