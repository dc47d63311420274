// Tries from inside a sandbox to get out of it, across to another, or beyond its limits.
//
//   attacks inside [target=value …]        the probes, a line each: family, name, expected, verdict, what was found
//   attacks outside [option …] COMMAND …   makes the targets on the host, runs COMMAND, whose `@workspace` and `@inside`
//                                          become a directory and the inside half, and looks at what is left
//
// Both exit with 0 when everything held, 1 when something did not, 2 when they could not run.

#include <stdio.h>
#include <string.h>

#include "inside.h"
#include "outside.h"
#include "targets.h"

int main(int count, char **arguments) {
    if (count >= 2 && strcmp(arguments[1], "inside") == 0) {
        if (read_targets(arguments + 2) != 0) return 2;
        return run_inside();
    }
    if (count >= 3 && strcmp(arguments[1], "outside") == 0) return run_outside(arguments + 2);
    fprintf(stderr, "attacks inside [target=value …] | attacks outside [option …] COMMAND …\n");
    return 2;
}
