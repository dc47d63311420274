#ifndef ROOKERY_CHANNEL_H
#define ROOKERY_CHANNEL_H

#include <stddef.h>

// The conversation with the launcher, one SOCK_SEQPACKET message each:
//   launcher: "maps" with the mounts as descriptors        ids are mapped, cgroups are set
//   init:     "pty" with the master, "listener" with the socket, in the plan's order
//   init:     "ready"
//   launcher: "go"
// then the end of the connection (the command was executed). At any time init may say "failed", NUL, the step, NUL, the
// errno in decimal, and exit.

/// Waits for "maps" and takes its descriptors. Exits when the launcher is gone or says anything else.
size_t await_maps(int *descriptors, size_t capacity);

/// Waits for "go", behind the command's filters; exits when the launcher is gone.
void await_go(void);

/// Sends the launcher a word with a descriptor (-1: none). Returns 0, or -1 with errno.
int tell(const char *word, int descriptor);

/// The same over any Unix socket.
int send_descriptor(int socket, const char *word, int descriptor);

/// Reports a failure with the present errno and exits.
__attribute__((noreturn)) void fail(const char *step, const char *subject);

#endif
