import API
import Foundation
import Glibc

/// A socket that listens for as long as the steward lives, whichever supervisor serves it.
struct ListeningSocket {
    let listener: APIListener
    let descriptor: Int32
    /// A Unix socket's file, to be removed at the end.
    private let file: String?

    /// Binds it, as the supervisor would.
    /// - Parameter owner: whose a Unix socket's file is.
    init(_ listener: APIListener, owner: ServiceUser?) throws(ConfigurationError) {
        self.listener = listener
        switch listener {
        case .tcp(let host, let port):
            file = nil
            descriptor = try Self.bind(host: host, port: port, listener)
        case .unix(let path):
            file = path
            descriptor = try Self.bind(path: path, listener, owner)
        }
    }

    func close() {
        _ = Glibc.close(descriptor)
        if let file { unlink(file) }
    }

    private static func bind(host: String, port: Int, _ listener: APIListener) throws(ConfigurationError) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, "\(port)", &hints, &found)
        guard result == 0, let first = found else {
            throw ConfigurationError("cannot listen on \(listener): \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw refusal(listener, errno) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard Glibc.bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0, listen(descriptor, 256) == 0
        else {
            let code = errno
            _ = Glibc.close(descriptor)
            throw refusal(listener, code)
        }
        return descriptor
    }

    private static func bind(
        path: String, _ listener: APIListener, _ owner: ServiceUser?
    ) throws(ConfigurationError) -> Int32 {
        if UnixSocketProbe.answers(path) { throw ConfigurationError(APIServerError.addressInUse(listener).description) }
        guard let (descriptor, address) = unixSocket(path) else {
            throw ConfigurationError(
                APIServerError.pathTooLong(path: path, bytes: path.utf8.count).description)
        }
        if let found = FileIdentity(path), !found.isSocket {
            throw ConfigurationError("cannot listen on \(listener): the path exists and is not a socket")
        }
        unlink(path)
        var named = address
        let bound = withUnsafePointer(to: &named) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(descriptor, 256) == 0 else {
            let code = errno
            _ = Glibc.close(descriptor)
            throw refusal(listener, code)
        }
        chmod(path, 0o660)
        if let owner { lchown(path, owner.uid, owner.gid) }
        return descriptor
    }

    private static func unixSocket(_ path: String) -> (Int32, sockaddr_un)? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        return descriptor >= 0 ? (descriptor, address) : nil
    }

    private static func refusal(_ listener: APIListener, _ code: Int32) -> ConfigurationError {
        ConfigurationError(
            code == EADDRINUSE
                ? APIServerError.addressInUse(listener).description
                : APIServerError.cannotListen(listener, errno: code, reason: String(cString: strerror(code)))
                    .description)
    }
}
