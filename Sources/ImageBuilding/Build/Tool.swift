import Foundation
import Glibc
import Images

/// Runs the programs that images are made with.
struct Tool {
    /// Debian packages of the programs that are not everywhere.
    private static let packages = ["mmdebstrap": "mmdebstrap", "mksquashfs": "squashfs-tools"]
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Takes what the programs say.
    let log: String
    var environment: [String: String]

    init(log: String) {
        self.log = log
        environment = ["PATH": Self.path, "LC_ALL": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"]
        let own = ProcessInfo.processInfo.environment
        for name in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
            environment[name] = own[name]
        }
    }

    static func find(_ program: String) throws(ImageError) -> String {
        for directory in path.split(separator: ":")
        where FileManager.default.isExecutableFile(atPath: "\(directory)/\(program)") {
            return "\(directory)/\(program)"
        }
        throw ImageError(
            "\(program) is missing",
            remedy: packages[program].map { "apt-get install --no-install-recommends \($0), or 'Scripts/setup images'" }
                ?? "install it", errno: ENOENT)
    }

    /// Runs a program to its end.
    /// - Returns: its standard output when `captures`, else that goes to the log.
    @discardableResult
    func run(_ program: String, _ arguments: [String], captures: Bool = false) throws(ImageError) -> String {
        let executable = try Self.find(program)
        do {
            let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            let output = FileHandle(fileDescriptor: file, closeOnDealloc: true)
            let process = Process()
            // It has a process group of its own, so ^C reaches only us: it is told to end when we do.
            process.executableURL = URL(filePath: try Self.find("setpriv"))
            process.arguments = ["--pdeathsig", "TERM", "--", executable] + arguments
            process.environment = environment
            process.standardInput = FileHandle.nullDevice
            process.standardError = output
            let pipe = Pipe()
            process.standardOutput = captures ? pipe : output
            try process.run()
            let text = captures ? try pipe.fileHandleForReading.readToEnd() ?? Data() : Data()
            process.waitUntilExit()
            guard process.terminationReason == .exit, process.terminationStatus == 0 else {
                throw ImageError(
                    "\(program) failed (\(process.terminationStatus)):\n\(lastWords)", remedy: "see the lines above")
            }
            return String(decoding: text, as: UTF8.self)
        } catch let error as ImageError {
            throw error
        } catch {
            throw ImageError("\(program) cannot be run: \(error)", remedy: "")
        }
    }

    private var lastWords: String {
        let text = FileManager.default.contents(atPath: log).map { String(decoding: $0.suffix(8192), as: UTF8.self) }
        return (text ?? "").split(separator: "\n").suffix(15).map { "  \($0)" }.joined(separator: "\n")
    }
}
