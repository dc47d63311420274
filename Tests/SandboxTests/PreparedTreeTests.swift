import CLinux
import Foundation
import Glibc
import Testing

@testable import Sandbox

/// The tree of the host's image that sandboxes get copies of.
@Suite(.enabled(if: geteuid() == 0 && PreparedTree.isPossible)) struct PreparedTreeTests {
    /// A host whose only entry is a file.
    private final class Host {
        let directory: String
        var file: String { "\(directory)/file" }

        init() throws {
            var template = Array("/tmp/rkt-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemError(call: "mkdtemp", errno: errno) }
            directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            try write("first")
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        /// As a package's upgrade does: another file takes the place.
        func write(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }

        func layout(look: Int) -> PreparedTree.Layout {
            PreparedTree.Layout(
                host: HostImage(entries: [.file(file)], localPrograms: []), look: look, targets: [directory],
                devices: Devices.standard, coversLocalPrograms: false)
        }

        func copy(look: Int, base: UInt32 = 0x6ffe_0000) throws -> OwnedDescriptor {
            try #require(PreparedTree.copy(of: layout(look: look), rootAlone: try RootAlone.namespace(base: base)))
        }

        func shown(in tree: OwnedDescriptor) -> String {
            let number = openat(tree.number, String(file.dropFirst()), O_RDONLY | O_CLOEXEC)
            guard number >= 0 else { return "none" }
            defer { close(number) }
            var bytes = [UInt8](repeating: 0, count: 64)
            return String(decoding: bytes[..<max(0, read(number, &bytes, bytes.count))], as: UTF8.self)
        }
    }

    @Test func isMadeAnewWhenTheHostHasChanged() throws {
        let host = try Host()
        #expect(host.shown(in: try host.copy(look: 1_000_001)) == "first")
        try host.write("second")
        // One look at the host, one tree; whoever looks at the host counts.
        #expect(host.shown(in: try host.copy(look: 1_000_001)) == "first")
        #expect(host.shown(in: try host.copy(look: 1_000_002)) == "second")
    }

    @Test func showsRootsFilesAsTheRootOfEachRange() throws {
        let host = try Host()
        for base: UInt32 in [0x6ffd_0000, 0x6ffc_0000] {
            let tree = try host.copy(look: 1_000_003, base: base)
            for path in ["etc", String(host.file.dropFirst())] {
                var status = stat()
                #expect(fstatat(tree.number, path, &status, 0) == 0)
                #expect(status.st_uid == base && status.st_gid == base, "\(path)")
            }
        }
    }

    @Test func nobodyCanWriteIt() throws {
        let host = try Host()
        let tree = try host.copy(look: 1_000_004)
        for path in ["etc/new", String(host.file.dropFirst())] {
            let file = openat(tree.number, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            #expect(file == -1 && errno == EROFS, "\(path)")
            if file >= 0 { close(file) }
        }
        #expect(unlinkat(tree.number, "dev/null", 0) == -1 && (errno == EROFS || errno == EBUSY))
    }

    @Test func aLinkOnTheWayToAPlaceIsNotFollowed() throws {
        let host = try Host()
        // The place of the local programs is below a link that leads out of the tree.
        symlink("/tmp", "\(host.directory)/usr")
        var layout = host.layout(look: 1_000_005)
        layout.host = HostImage(
            entries: [.link("/usr/local", target: host.directory)], localPrograms: [])
        layout.coversLocalPrograms = true
        #expect(PreparedTree.copy(of: layout, rootAlone: try RootAlone.namespace(base: 0x6ffe_0000)) == nil)
    }
}

/// When the host's image is looked at again.
@Suite struct HostImageLookTests {
    @Test func isTheSameWhileNothingChanges() {
        let first = HostImage.latestLook()
        #expect(first.image.entries.contains(.directory("/usr")))
        #expect(HostImage.latestLook().look >= first.look)
        #expect(HostImage.latestLook().image == first.image)
    }
}

extension PreparedTree {
    /// Whether this kernel copies mounts in the way that takes: from Linux 6.15 on. Before, each sandbox has a tree of its own.
    static let isPossible = {
        var names = utsname()
        guard uname(&names) == 0 else { return false }
        let release = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let parts = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return parts.count == 2 && (parts[0], parts[1]) >= (6, 15)
    }()
}
