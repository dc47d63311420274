import Foundation
import NIOCore
import NIOPosix

/// The gateway cannot listen.
public struct GatewayError: Error, Sendable, CustomStringConvertible {
    public var description: String
}

/// Makes a path free for a new listener: removes a socket file that nobody listens on, and nothing else.
func claimSocketPath(_ path: String) async throws {
    guard path.utf8.count <= 107 else {
        throw GatewayError(
            description: "the socket path \(path) is longer than 107 bytes; choose a shorter --runtime-dir")
    }
    guard let found = try? FileManager.default.attributesOfItem(atPath: path) else { return }
    guard found[.type] as? FileAttributeType == .typeSocket else {
        throw GatewayError(description: "\(path) exists and is not a socket; remove it or choose another --runtime-dir")
    }
    if let other = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(unixDomainSocketPath: path).get()
    {
        try? await other.close().get()
        throw GatewayError(
            description: "another supervisor listens on \(path); stop it or choose another --runtime-dir")
    }
    guard unlink(path) == 0 || errno == ENOENT else {
        throw GatewayError(
            description: "the stale socket \(path) cannot be removed: \(String(cString: strerror(errno)))")
    }
}

/// Which file a path names now; nil when it is no socket. What is bound later has another.
struct SocketIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
