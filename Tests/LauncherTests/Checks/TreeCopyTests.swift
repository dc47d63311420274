import Foundation
import Glibc
import Sandbox
import Testing
import WorkerControl

@testable import Launcher

@Suite struct TreeCopyTests {
    private func withTrees(_ body: (Scratch, Directory, Directory) throws -> Void) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        mkdir("\(scratch.path)/state/from", 0o755)
        mkdir("\(scratch.path)/state/to", 0o755)
        try body(
            scratch, try Directory(at: "\(scratch.path)/state/from"), try Directory(at: "\(scratch.path)/state/to"))
    }

    @Test func whatIsThereIsThereAgain() throws {
        try withTrees { scratch, from, to in
            let path = from.path
            mkdir("\(path)/d", 0o755)
            mkdir("\(path)/d/empty", 0o1700)
            let large = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            try large.write(to: URL(filePath: "\(path)/d/large"))
            try Data().write(to: URL(filePath: "\(path)/nothing"))
            // A name that is no UTF-8.
            let odd = open("\(path)/odd", O_WRONLY | O_CREAT, 0o600)
            write(odd, "odd", 3)
            close(odd)
            var name: [CChar] = [0x61, -1, 0x62, 0]
            #expect(renameat(from.descriptor.number, "odd", from.descriptor.number, &name) == 0)
            chmod("\(path)/d/large", 0o4751)
            var times = [timespec(tv_sec: 1000, tv_nsec: 7), timespec(tv_sec: 2000, tv_nsec: 9)]
            #expect(utimensat(AT_FDCWD, "\(path)/d/large", &times, 0) == 0)
            link("\(path)/d/large", "\(path)/same")
            symlink("../../../secret", "\(path)/up")
            mkfifo("\(path)/fifo", 0o600)

            var copy = TreeCopy()
            try copy.copy(from, into: to)
            #expect(copy.copied.left == 1, "the fifo")
            #expect(copy.copied.files == 7)
            #expect(copy.copied.bytes == 3_000_003, "a file is copied once")
            #expect(scratch.status("state/to/same")?.st_ino == scratch.status("state/to/d/large")?.st_ino)
            #expect(try Data(contentsOf: URL(filePath: "\(to.path)/d/large")) == large)
            #expect(try Data(contentsOf: URL(filePath: "\(to.path)/same")) == large)
            let status = try #require(scratch.status("state/to/d/large"))
            #expect(status.st_mode & 0o7777 == 0o751, "no bit that lends rights")
            #expect(status.st_mtim.tv_sec == 2000 && status.st_mtim.tv_nsec == 9)
            #expect(scratch.status("state/to/d/empty").map { $0.st_mode & 0o7777 } == 0o1700)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(to.path)/up") == "../../../secret")
            #expect(faccessat(to.descriptor.number, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        }
    }

    @Test func namesOfOneFileAreNamesOfOneFileAndNoOthersAre() throws {
        try withTrees { scratch, from, to in
            for name in ["a", "a/b", "c"] { mkdir("\(from.path)/\(name)", 0o755) }
            for (name, text) in [("a/b/one", "same"), ("alone", "same"), ("outside", "out")] {
                try Data(text.utf8).write(to: URL(filePath: "\(from.path)/\(name)"))
            }
            for name in ["c/two", "three"] { link("\(from.path)/a/b/one", "\(from.path)/\(name)") }
            // Its other name is not below.
            link("\(from.path)/outside", "\(scratch.path)/elsewhere")
            var copy = TreeCopy()
            try copy.copy(from, into: to)
            let inodes = ["a/b/one", "c/two", "three", "alone", "outside"].map {
                scratch.status("state/to/\($0)")?.st_ino
            }
            #expect(Set(inodes).count == 3 && Set(inodes.prefix(3)).count == 1, "\(inodes)")
            #expect(scratch.status("state/to/three")?.st_nlink == 3)
            #expect(scratch.status("state/to/outside")?.st_nlink == 1)
            #expect(copy.copied.bytes == 11)
        }
    }

    @Test func whatAUserNotedAboutAFileIsCopiedAndWhatLendsRightsIsNot() throws {
        try withTrees { scratch, from, to in
            try Data("x".utf8).write(to: URL(filePath: "\(from.path)/file"))
            mkdir("\(from.path)/directory", 0o755)
            let set = """
                import os, sys
                for name in "file", "directory":
                    os.setxattr(sys.argv[1] + "/" + name, "user.note", b"of " + name.encode())
                    os.setxattr(sys.argv[1] + "/" + name, "user.empty", b"")
                os.setxattr(sys.argv[1] + "/file", "user.long", b"l" * 2000)
                os.chmod(sys.argv[1] + "/file", 0o444)
                if os.geteuid() == 0:
                    # cap_setuid, permitted and effective (linux/capability.h)
                    value = bytes.fromhex("0100000280000000000000000000000000000000")
                    os.setxattr(sys.argv[1] + "/file", "security.capability", value)
                    os.setxattr(sys.argv[1] + "/file", "trusted.mine", b"t")
                """
            try #require(try Self.python(set, from.path).status == 0)
            var copy = TreeCopy()
            try copy.copy(from, into: to)
            let show = """
                import os, sys
                for name in "directory", "file":
                    path = sys.argv[1] + "/" + name
                    print(name, *(f"{each}={len(os.getxattr(path, each))}" for each in sorted(os.listxattr(path))))
                """
            let shown = try Self.python(show, to.path).output
            #expect(
                shown == "directory user.empty=0 user.note=12\nfile user.empty=0 user.long=2000 user.note=7\n",
                "\(shown)")
            if Stage.isRoot {
                #expect(try Self.python(show, from.path).output.contains("security.capability=20"))
            }
        }
    }

    private static func python(_ script: String, _ path: String) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", script, path]
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test func holesStayHoles() throws {
        try withTrees { scratch, from, to in
            let file = open("\(from.path)/sparse", O_WRONLY | O_CREAT, 0o600)
            ftruncate(file, 1 << 40)
            pwrite(file, "end", 3, 1 << 30)
            close(file)
            var copy = TreeCopy()
            try copy.copy(from, into: to)
            let status = try #require(scratch.status("state/to/sparse"))
            #expect(status.st_size == 1 << 40)
            #expect(status.st_blocks < 4096)
            #expect(copy.copied.bytes < 1 << 20)
        }
    }

    @Test func nothingBehindALinkIsRead() throws {
        try withTrees { scratch, from, to in
            try scratch.script("secret", "x")
            symlink("\(scratch.path)/bin", "\(from.path)/directory")
            symlink("\(scratch.path)/bin/secret", "\(from.path)/file")
            var copy = TreeCopy()
            try copy.copy(from, into: to)
            for name in ["directory", "file"] {
                #expect(scratch.status("state/to/\(name)").map { $0.st_mode & S_IFMT } == S_IFLNK)
            }
            #expect(copy.copied.bytes == 0)
        }
    }

    @Test func aTreeThatIsTooDeepIsRefused() throws {
        try withTrees { _, from, to in
            var path = from.path
            for _ in 0...TreeCopy.deepest {
                path += "/d"
                mkdir(path, 0o755)
            }
            var copy = TreeCopy()
            let error = #expect(throws: SystemError.self) { try copy.copy(from, into: to) }
            #expect(error?.errno == ELOOP)
        }
    }

    @Test(.enabled(if: Stage.isRoot)) func everyFileBecomesTheOtherSessions() throws {
        try withTrees { scratch, from, to in
            let (former, latter) = (try #require(UIDRange(slot: 3)), try #require(UIDRange(slot: 9)))
            for (name, owner) in [("a", former.host(1000)), ("b", former.host(0)), ("c", 12)] {
                try Data(name.utf8).write(to: URL(filePath: "\(from.path)/\(name)"))
                chown("\(from.path)/\(name)", owner, owner)
            }
            symlink("a", "\(from.path)/link")
            lchown("\(from.path)/link", former.host(1000), former.host(1000))
            var copy = TreeCopy()
            copy.owners = TreeCopy.Owners(from: former, to: latter)
            try copy.copy(from, into: to)
            func owner(_ name: String) -> UInt32? { scratch.status("state/to/\(name)")?.st_uid }
            #expect(owner("a") == latter.host(1000) && owner("link") == latter.host(1000))
            #expect(owner("b") == latter.host(0))
            #expect(owner("c") == latter.host(1000), "nobody else's can be in there")
        }
    }
}
