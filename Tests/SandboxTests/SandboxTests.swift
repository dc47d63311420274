import CLinux
import Foundation
import Glibc
import Policy
import Testing

@testable import Sandbox

/// Real sandboxes of whoever runs the tests: in root mode as root, else rootless. `RootlessTests` runs this suite again
/// as another user.
@Suite struct SandboxTests {
    @Test func startsTheCommandInNamespacesOfItsOwn() throws {
        let trial = try SandboxTrial(
            """
            exec >/workspace/out 2>&1
            cat /proc/1/comm 2>/dev/null || echo 'pid 1 is hidden'
            echo "pid $$ uid $(id -u) gid $(id -g) host $(hostname) cwd $PWD home $HOME"
            ls /proc | grep -c '^[0-9]'
            readlink /proc/self/fd/0 || true
            tty <&0
            stty size <&0
            """)
        trial.specification.hostname = "nest"
        trial.specification.columns = 101
        trial.specification.rows = 33
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        let lines = trial.file("out").split(separator: "\n").map(String.init)
        #expect(lines.first == "pid 1 is hidden")
        #expect(lines.contains("pid 2 uid 1000 gid 1000 host nest cwd /workspace home /home/agent"), "\(lines)")
        #expect(lines.suffix(2) == ["/dev/pts/0", "33 101"])
    }

    @Test func hasNoPrivilegeLeft() throws {
        let trial = try SandboxTrial(
            """
            exec >/workspace/out 2>&1
            grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
            mount -t tmpfs none /tmp; echo "mount $?"
            unshare -U true; echo "unshare $?"
            chroot / true; echo "chroot $?"
            """)
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        let out = trial.file("out")
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(out.contains("\(set):\t0000000000000000\n"), "\(out)")
        }
        #expect(out.contains("NoNewPrivs:\t1\n") && out.contains("Seccomp:\t2\n"), "\(out)")
        #expect(!out.contains("mount 0") && !out.contains("unshare 0") && !out.contains("chroot 0"), "\(out)")
    }

    @Test func seesNothingOfTheHostBesideTheImage() throws {
        let trial = try SandboxTrial(
            """
            exec >/workspace/out 2>&1
            for path in /root /srv /mnt /opt /boot /sys /etc/shadow /var/lib /var/log /run/systemd \(SandboxTrial.packageRoot); do
                if [ -e $path ]; then echo "visible $path"; fi
            done
            ls /tmp /home
            wc -c </etc/resolv.conf
            for path in / /usr /usr/bin /etc /dev /run /proc/sys/kernel /home /run/rookery; do
                touch $path/x 2>/dev/null && echo "writable $path"
            done
            for path in /workspace /home/agent /tmp /dev/shm /run/user/1000; do
                touch $path/x || echo "read-only $path"
            done
            cat /etc/machine-id /proc/sys/kernel/random/boot_id
            ls -A /proc/acpi /proc/bus /proc/fs 2>/dev/null | grep -v : | grep -v '^$'
            cat /proc/kcore /proc/kallsyms /proc/keys /proc/modules /proc/cmdline 2>/dev/null | wc -c
            true
            """)
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        let out = trial.file("out")
        #expect(!out.contains("visible") && !out.contains("writable") && !out.contains("read-only"), "\(out)")
        #expect(out.hasPrefix("/home:\nagent\n\n/tmp:\n0\n"), "\(out)")
        #expect(out.hasSuffix("\n0\n"), "\(out)")
        let hostID = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        #expect(!out.contains(hostID))
    }

    @Test func passesOnNoDescriptorButTheTerminal() throws {
        let leaked = open("/etc/passwd", O_RDONLY)
        defer { close(leaked) }
        let trial = try SandboxTrial(
            """
            import os
            script = os.path.realpath(__file__)
            found = []
            for number in range(1024):
                try:
                    if os.readlink(f"/proc/self/fd/{number}") != script: found.append(number)
                except OSError: pass
            open("/workspace/out", "w").write(str(found))
            """, interpreter: "/usr/bin/python3")
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        #expect(trial.file("out") == "[0, 1, 2]")
    }

    @Test func hasNoNetworkButTheListenerHandedOut() throws {
        let trial = try SandboxTrial(
            """
            tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' >/workspace/out
            exec 3<>/dev/tcp/127.0.0.1/3128 || exit 9
            echo hello >&3
            read -r answer <&3
            echo "$answer" >>/workspace/out
            exec 4<>/dev/tcp/192.0.2.1/80 || echo unreachable >>/workspace/out
            """)
        let sandbox = try trial.start()
        let listener = try #require(sandbox.listener)
        #expect(rk_wait_readable(listener.number, 30_000) == 1)
        let connection = accept(listener.number, nil, nil)
        #expect(connection >= 0)
        defer { close(connection) }
        #expect(rk_wait_readable(connection, 30_000) == 1)
        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(read(connection, &bytes, bytes.count) == 6)
        #expect(write(connection, "world\n", 6) == 6)
        _ = try trial.status()
        #expect(trial.file("out") == "lo\nworld\nunreachable\n")
    }

    @Test(arguments: [("exit 0", "code 0\n"), ("exit 7", "code 7\n"), ("kill -9 $$", "signal 9\n")])
    func tellsHowTheCommandEnded(script: String, status: String) throws {
        let trial = try SandboxTrial(script)
        #expect(try trial.run() == status)
        #expect(try trial.started?.process.waitForExit(milliseconds: 10_000) == .code(0))
    }

    @Test func passesSignalsOverTheLeashToTheCommand() throws {
        let trial = try SandboxTrial(
            "trap 'echo got >/workspace/got; exit 5' TERM; touch /workspace/ready; while :; do sleep 0.1; done")
        let sandbox = try trial.start()
        #expect(trial.waitForFile("ready"))
        #expect(write(sandbox.leash.number, [UInt8(SIGTERM)], 1) == 1)
        #expect(try trial.status() == "code 5\n")
        #expect(trial.file("got") == "got\n")
    }

    @Test func endsWithEverythingInsideWhenTheLeashCloses() throws {
        let trial = try SandboxTrial(
            """
            trap '' HUP TERM INT
            for number in 1 2 3; do
                setsid bash -c 'trap "" HUP TERM INT; (while :; do date +%N >/workspace/beat; sleep 0.05; done) &' &
            done
            touch /workspace/ready
            sleep 1000
            """)
        try trial.start()
        #expect(trial.waitForFile("beat"))
        let process = try #require(trial.letGo())
        #expect(try process.waitForExit(milliseconds: 30_000) != nil)
        let last = trial.file("beat")
        usleep(300_000)
        #expect(trial.file("beat") == last, "a daemon still writes")
    }

    @Test func refusesWhatASandboxMustNotDo() throws {
        let trial = try SandboxTrial(
            #"""
            import ctypes, errno, fcntl, os, socket, termios
            libc = ctypes.CDLL(None, use_errno=True)
            out = open("/workspace/out", "w")
            def call(name, number, *arguments):
                ctypes.set_errno(0)
                result = libc.syscall(number, *arguments)
                print(name, errno.errorcode.get(ctypes.get_errno(), result), file=out)
            call("clone3", 435, None, 0)
            call("unshare-user", 272, 0x10000000)
            call("io_uring_setup", 425, 1, None)
            call("keyctl", 250, 0, -3, 0)
            call("ptrace", 101, 16, 1, None, None)
            call("bpf", 321, 0, None, 0)
            call("userfaultfd", 323, 0)
            call("perf_event_open", 298, None, 0, -1, -1, 0)
            call("open_tree", 428, -100, b"/", 1)
            call("setns", 308, 0, 0)
            call("process_vm_readv", 310, 1, None, 0, None, 0, 0)
            call("unknown", 9999)
            for name, family in [("vsock", 40), ("packet", 17), ("bluetooth", 31), ("alg", 38)]:
                try:
                    socket.socket(family, socket.SOCK_STREAM)
                    print(name, "opened", file=out)
                except OSError as error:
                    print(name, errno.errorcode[error.errno], file=out)
            try:
                socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
                print("raw opened", file=out)
            except OSError as error:
                print("raw", errno.errorcode[error.errno], file=out)
            for name, arguments in [("icmp", (2, 2, 1)), ("netfilter", (16, 3, 12))]:
                try:
                    socket.socket(*arguments)
                    print(name, "opened", file=out)
                except OSError as error:
                    print(name, errno.errorcode[error.errno], file=out)
            call("prlimit-of-another", 302, 1, 7, None, None)
            call("real-time", 144, 0, 1, ctypes.byref(ctypes.c_int(1)))
            for name, request in [("TIOCSTI", 0x5412), ("TIOCSTI-high", 0x100005412), ("TIOCLINUX", 0x541c)]:
                buffer = ctypes.create_string_buffer(b"x")
                call(name, 16, 0, ctypes.c_ulong(request), buffer)
            socket.socket(socket.AF_UNIX).close(); socket.socket(socket.AF_INET6).close()
            print("done", file=out)
            """#, interpreter: "/usr/bin/python3")
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        let results = Dictionary(
            trial.file("out").split(separator: "\n").map { line in
                let words = line.split(separator: " ")
                return (String(words[0]), words.count > 1 ? String(words[1]) : "")
            }, uniquingKeysWith: { first, _ in first })
        let expected = [
            "clone3": "ENOSYS", "unshare-user": "EPERM", "io_uring_setup": "ENOSYS", "keyctl": "EPERM",
            "ptrace": "EPERM", "bpf": "EPERM", "userfaultfd": "EPERM", "perf_event_open": "EPERM",
            "open_tree": "EPERM", "setns": "EPERM", "process_vm_readv": "EPERM", "unknown": "ENOSYS",
            "vsock": "EAFNOSUPPORT", "packet": "EAFNOSUPPORT", "bluetooth": "EAFNOSUPPORT", "alg": "EAFNOSUPPORT",
            "icmp": "EPROTONOSUPPORT", "netfilter": "EPROTONOSUPPORT", "prlimit-of-another": "EPERM",
            "real-time": "EPERM", "raw": "EPERM", "TIOCSTI": "EPERM", "TIOCSTI-high": "EPERM", "TIOCLINUX": "EPERM",
            "done": "",
        ]
        for (name, result) in expected { #expect(results[name] == result, "\(name)") }
        // The tally speaks at most once a second for each call: the rest of it comes with the end.
        for (call, count) in [
            ("socket", 7), ("ioctl", 3), ("prlimit64", 1), ("sched_setscheduler", 1), ("mount", 0), ("keyctl", 1),
        ] {
            for _ in 0..<100 where trial.violations[call] < count { usleep(50_000) }
            #expect(trial.violations[call] == count, "\(call)")
        }
    }

    @Test func killsA32BitCall() throws {
        // mov eax, 20 (getpid); int 0x80; ret
        let trial = try SandboxTrial(
            """
            import ctypes, mmap
            code = mmap.mmap(-1, 4096, prot=7)
            code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
            ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
            """, interpreter: "/usr/bin/python3")
        #expect(try trial.run() == "signal 31\n", "\(trial.output)")
    }

    @Test func ordinaryToolsWork() throws {
        let trial = try SandboxTrial(
            """
            set -e
            cd /workspace && git init -q . && git config user.email a@b && git config user.name a
            echo text >file && git add file && git commit -qm first && git log --oneline | wc -l >/workspace/out
            python3 -c 'import subprocess, threading, ssl; print(subprocess.check_output(["echo", "python"]).decode().strip())' >>/workspace/out
            ps -e -o pid= -o comm= | wc -l >>/workspace/out
            getent passwd 1000 | cut -d: -f1 >>/workspace/out
            """)
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        let lines = trial.file("out").split(separator: "\n")
        #expect(lines.first == "1" && lines.contains("python") && lines.last == "agent", "\(lines) \(trial.output)")
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: SandboxTrial.claude)))
    func claudeCodeRuns() throws {
        let trial = try SandboxTrial("claude --version >/workspace/out 2>&1; command -v claude >>/workspace/out")
        trial.specification.claudeBinary = SandboxTrial.claude
        #expect(try trial.run() == "code 0\n", "\(trial.output) \(trial.file("out"))")
        #expect(trial.file("out").contains("(Claude Code)\n/usr/local/bin/claude\n"), "\(trial.file("out"))")
    }

    @Test func showsTheManagedSettingsReadOnly() throws {
        let trial = try SandboxTrial(
            "cat /etc/claude-code/managed-settings.json >/workspace/out; echo x >>/etc/claude-code/managed-settings.json"
        )
        trial.specification.managedSettings = #"{"hooks":{}}"#
        #expect(try trial.run() == "code 1\n")
        #expect(trial.file("out") == #"{"hooks":{}}"#)
    }
}
