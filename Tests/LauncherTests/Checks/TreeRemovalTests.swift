import Foundation
import Glibc
import Sandbox
import Testing

@testable import Launcher

@Suite struct TreeRemovalTests {
    func withTree(_ body: (Scratch, Directory) throws -> Void) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try body(scratch, try Directory(at: "\(scratch.path)/state"))
    }

    @Test func linksAreRemovedAndNotFollowed() throws {
        try withTree { scratch, state in
            try scratch.script("precious", "x")
            mkdir("\(scratch.path)/state/d", 0o755)
            symlink("\(scratch.path)/bin", "\(scratch.path)/state/d/out")
            symlink("../../bin", "\(scratch.path)/state/up")
            symlink("/nonexistent", "\(scratch.path)/state/broken")
            link("\(scratch.path)/bin/precious", "\(scratch.path)/state/d/hard")
            mkfifo("\(scratch.path)/state/d/fifo", 0o600)
            try TreeRemoval.empty(state)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/state").isEmpty)
            #expect(scratch.text("bin/precious") == "x")
        }
    }

    @Test func depthDoesNotMatter() throws {
        try withTree { scratch, state in
            // Far deeper than a path may be long, or a process may hold descriptors.
            var directory = openat(AT_FDCWD, "\(scratch.path)/state", O_RDONLY | O_DIRECTORY)
            for _ in 0..<5000 {
                mkdirat(directory, "deep", 0o755)
                let file = openat(directory, "file", O_WRONLY | O_CREAT, 0o600)
                close(file)
                let next = openat(directory, "deep", O_RDONLY | O_DIRECTORY)
                close(directory)
                directory = next
            }
            close(directory)
            try TreeRemoval.empty(state)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/state").isEmpty)
        }
    }

    @Test func widthDoesNotMatter() throws {
        try withTree { scratch, state in
            for index in 0..<5000 {
                mkdir("\(scratch.path)/state/\(index)", 0o755)
                if index % 3 == 0 { mkdir("\(scratch.path)/state/\(index)/x", 0o755) }
            }
            try TreeRemoval.empty(state)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/state").isEmpty)
        }
    }

    @Test func oddNamesAndModesAreRemoved() throws {
        try withTree { scratch, state in
            for name in [[0xff, 0xfe, 0], [10, 0], [45, 114, 102, 0]] as [[UInt8]] {
                name.withUnsafeBytes { bytes in
                    guard let name = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
                    mkdirat(state.descriptor.number, name, 0o755)
                    let file = openat(openat(state.descriptor.number, name, O_RDONLY), name, O_WRONLY | O_CREAT, 0)
                    close(file)
                }
            }
            mkdir("\(scratch.path)/state/locked", 0o755)
            mkdir("\(scratch.path)/state/locked/inner", 0o755)
            mkdir("\(scratch.path)/state/locked/inner/more", 0o000)
            chmod("\(scratch.path)/state/locked/inner", 0o000)
            chmod("\(scratch.path)/state/locked", 0o000)
            mkdir("\(scratch.path)/state/.rookery-removed-1", 0o755)
            mkdir("\(scratch.path)/state/.rookery-removed-1/x", 0o755)
            try TreeRemoval.empty(state)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/state").isEmpty)
        }
    }

    @Test func whatIsKeptStays() throws {
        try withTree { scratch, state in
            for name in ["workspace", "home", "home/workspace"] { mkdir("\(scratch.path)/state/\(name)", 0o755) }
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(scratch.path)/state/workspace/file"))
            try TreeRemoval.empty(state, keep: ["workspace"])
            #expect(scratch.exists("state/workspace/file"))
            #expect(!scratch.exists("state/home"))
            try TreeRemoval.remove("workspace", in: state)
            try TreeRemoval.remove("workspace", in: state)
            #expect(!scratch.exists("state/workspace"))
        }
    }
}
