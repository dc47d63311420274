#include "targets.h"

#include <stdio.h>
#include <string.h>

#include "probe.h"

struct targets targets;

static const struct field {
    const char *name;
    char *value;
    size_t size;
} fields[] = {
#define FIELD(name) {#name, targets.name, sizeof targets.name}
    FIELD(file),    FIELD(share),   FIELD(abstract), FIELD(socket), FIELD(port),   FIELD(process),
    FIELD(secret),  FIELD(memory),  FIELD(segment),  FIELD(queue),  FIELD(hostname), FIELD(machine),
    FIELD(boot),    FIELD(uptime),  FIELD(parent),   FIELD(mode),   FIELD(bounded),
#undef FIELD
};

int read_targets(char **arguments) {
    for (; *arguments != NULL; arguments++) {
        char *value = strchr(*arguments, '=');
        bool taken = false;
        for (size_t index = 0; value != NULL && index < COUNT(fields); index++) {
            size_t length = strlen(fields[index].name);
            if ((size_t)(value - *arguments) != length || strncmp(*arguments, fields[index].name, length) != 0) continue;
            snprintf(fields[index].value, fields[index].size, "%s", value + 1);
            taken = true;
        }
        if (!taken) {
            fprintf(stderr, "attacks: unknown target %s\n", *arguments);
            return -1;
        }
    }
    return 0;
}

size_t write_targets(char **arguments, size_t capacity) {
    static char texts[COUNT(fields)][320];
    size_t count = 0;
    for (size_t index = 0; index < COUNT(fields) && count < capacity; index++) {
        if (fields[index].value[0] == '\0') continue;
        snprintf(texts[index], sizeof texts[index], "%s=%s", fields[index].name, fields[index].value);
        arguments[count++] = texts[index];
    }
    return count;
}
