import Foundation
import Glibc
import Sandbox
import WorkerControl

/// The programs of e2fsprogs that the launcher runs on an image.
enum DiskTool: String {
    case make = "mkfs.ext4"
    case check = "e2fsck"

    private static let directories = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
    /// How long one may take, in milliseconds; a launch as a whole has a minute.
    private static let patience: Int32 = 40_000

    /// nil where it is not installed.
    var path: String? {
        Self.directories.map { "\($0)/\(rawValue)" }.first { access($0, X_OK) == 0 }
    }

    /// Runs it on the image, which it gets by descriptor, and returns its exit status.
    func run(_ arguments: [String], on image: OwnedDescriptor) throws(SystemError) -> Int32 {
        guard let path else { throw SystemError(call: rawValue, errno: ENOENT) }
        let child: ChildProcess
        let spawn = Spawn(
            program: try Spawn.open(program: path), arguments: [rawValue] + arguments + ["/proc/self/fd/3"],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"], descriptors: [image])
        do { child = try spawn.start() } catch { throw SystemError(call: "start \(path)", errno: error.errno) }
        let exit: ChildProcess.Exit?
        do { exit = try child.waitForExit(milliseconds: Self.patience) } catch {
            child.kill()
            throw error
        }
        guard let exit else {
            child.kill()
            throw SystemError(call: rawValue, errno: ETIMEDOUT)
        }
        switch exit {
        case .code(let code): return code
        case .signal(let number): return 128 + number
        }
    }
}
