#include "terminal.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

static int outcome(long result) { return result < 0 ? -errno : (int)result; }

int rk_terminal_peer(int master) { return outcome(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)); }

int rk_terminal_set_size(int terminal, uint16_t columns, uint16_t rows) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return outcome(ioctl(terminal, TIOCSWINSZ, &size));
}

int rk_terminal_size(int terminal, uint16_t *columns, uint16_t *rows) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) != 0) return -errno;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

int rk_terminal_unread(int terminal) {
    int count = 0;
    return ioctl(terminal, FIONREAD, &count) != 0 ? -errno : count;
}
