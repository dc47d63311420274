import Foundation
import Glibc
import NIOCore
import NIOPosix

/// A Unix socket that listens, and whose file stays when it is closed, as after a process that was killed. NIO's own
/// removes whatever has its path by then when it comes to close: another stand-in's that was put in its place.
enum StandInListener {
    static func bind(_ bootstrap: ServerBootstrap, to path: String) async throws -> any Channel {
        unlink(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw POSIXError(.ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw POSIXError(.EADDRINUSE)
        }
        // NIO calls listen(2).
        return try await bootstrap.withBoundSocket(descriptor).get()
    }
}
