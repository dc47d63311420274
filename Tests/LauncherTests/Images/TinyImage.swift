import Foundation
import Glibc
import ImageBuilding
import Images
import Testing

/// Images small enough for every test run: a shell and a few programs of this machine, and a file that says which image
/// it is.
enum TinyImage {
    static let programs = ["sh", "cat", "id", "ls", "mkdir", "mv", "rm", "sleep", "stat", "touch", "ln"]

    /// Makes one with a set-user-id program, a device and a name of this machine in it, which no image may keep.
    @discardableResult
    static func make(_ name: String, says text: String, in scratch: Scratch) throws -> ImageManifest {
        let tree = "\(scratch.path)/bin/tree-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: tree) }
        for directory in ["usr/bin", "usr/share", "etc", "var/lib", "opt", "root"] {
            try FileManager.default.createDirectory(atPath: "\(tree)/\(directory)", withIntermediateDirectories: true)
        }
        symlink("usr/bin", "\(tree)/bin")
        for program in programs { try copy("/bin/\(program)", into: tree) }
        try Data(text.utf8).write(to: URL(filePath: "\(tree)/usr/share/mark"))
        try Data("elsewhere\n".utf8).write(to: URL(filePath: "\(tree)/etc/hostname"))
        try Data("secret\n".utf8).write(to: URL(filePath: "\(tree)/root/notes"))
        chmod("\(tree)/usr/bin/id", 0o4755)
        mknod("\(tree)/usr/share/device", S_IFCHR | 0o666, makedev(1, 3))
        return try ImageBuild(store: store(in: scratch)).importTree(tree, as: name)
    }

    static func store(in scratch: Scratch) -> ImageStore { ImageStore(directory: "\(scratch.path)/bin/images") }

    /// The program and the libraries that it names.
    private static func copy(_ program: String, into tree: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/ldd")
        process.arguments = [program]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let libraries = text.split(whereSeparator: \.isWhitespace).map(String.init).filter { $0.hasPrefix("/") }
        for file in libraries + ["/usr/bin/\((program as NSString).lastPathComponent)"] {
            let target = tree + file
            guard !FileManager.default.fileExists(atPath: target) else { continue }
            try FileManager.default.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: URL(filePath: file).resolvingSymlinksInPath().path(), toPath: target)
        }
    }

    private static func makedev(_ major: UInt64, _ minor: UInt64) -> dev_t { dev_t(major << 8 | minor) }
}

/// The loop devices of this machine that show a file.
func loopDevices(of path: String) -> [String] {
    let devices = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []
    return devices.filter { device in
        guard device.hasPrefix("loop"),
            let text = try? String(contentsOfFile: "/sys/block/\(device)/loop/backing_file", encoding: .utf8)
        else { return false }
        return text.split(separator: "\n").first.map(String.init) == path
    }
}
