import Foundation
import Glibc

/// Programs that take rookery-worker's place where a fault is needed, or where it must be known what the launcher passes.
enum StandInWorker: String, CaseIterable {
    /// Says it is ready, leaves a report in the home, and ends with its sandbox.
    case good
    /// Never says a word.
    case silent
    /// Ends at once, with a word on standard error.
    case dies
    /// Says what is wrong instead of `ready`.
    case complains
    /// Is ended by a signal.
    case crashes

    static let compiler = ["clang", "cc", "gcc"].lazy.compactMap(onPath).first

    private static func onPath(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    func install(in scratch: Scratch) throws {
        guard let compiler = Self.compiler else { throw POSIXError(.ENOENT) }
        let source = "\(scratch.path)/bin/worker.c"
        try Data(Self.source.utf8).write(to: URL(fileURLWithPath: source))
        let run = Process()
        run.executableURL = URL(fileURLWithPath: compiler)
        run.arguments = ["-o", "\(scratch.path)/libexec/rookery-worker", "-D\(rawValue)=1", source]
        try run.run()
        run.waitUntilExit()
        guard run.terminationStatus == 0 else { throw POSIXError(.ENOEXEC) }
    }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dirent.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        extern char **environ;
        int main(void) {
        #if silent
            pause();
        #elif dies
            fputs("no such luck\n", stderr);
            return 3;
        #elif complains
            dprintf(10, "cannot bind control.sock\n");
            pause();
        #elif crashes
            abort();
        #else
            int file = openat(9, "worker-report", O_WRONLY | O_CREAT | O_TRUNC, 0600);
            if (file < 0) { perror("worker-report"); return 4; }
            dprintf(file, "uid %d gid %d\n", (int)getuid(), (int)getgid());
            char configuration[65536];
            ssize_t count = pread(3, configuration, sizeof configuration - 1, 0);
            configuration[count < 0 ? 0 : count] = 0;
            dprintf(file, "%s\n", configuration);
            for (char **entry = environ; *entry; entry++) dprintf(file, "env %s\n", *entry);
            for (int number = 0; number < 64; number++)
                if (number != file && fcntl(number, F_GETFD) >= 0) dprintf(file, "fd %d\n", number);
            close(file);
            dprintf(10, "ready\n");
            close(10);
            struct pollfd sandbox = {.fd = 8, .events = POLLIN};
            poll(&sandbox, 1, -1);
        #endif
            return 0;
        }
        """#
}
