#ifndef ROOKERY_TERMINAL_H
#define ROOKERY_TERMINAL_H

#include <stdint.h>

// Every function returns >= 0 on success and -errno on failure. Every descriptor made here closes on exec.

/// Opens the other side of a PTY master, without a path (TIOCGPTPEER) and without taking it as controlling terminal.
int rk_terminal_peer(int master);

/// Sets a terminal's size in characters (TIOCSWINSZ); its foreground process group gets SIGWINCH when it changed.
int rk_terminal_set_size(int terminal, uint16_t columns, uint16_t rows);

/// Reads a terminal's size (TIOCGWINSZ).
int rk_terminal_size(int terminal, uint16_t *columns, uint16_t *rows);

/// How many bytes of what was typed nobody has read yet; of the side that programs have (FIONREAD).
int rk_terminal_unread(int terminal);

#endif
