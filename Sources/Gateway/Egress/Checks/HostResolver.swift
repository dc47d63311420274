import Glibc
import NIOCore
import NIOPosix
import Policy

/// Resolves a host for a connection, once; what is connected to is what was checked, whatever the name says later.
protocol HostResolver: Sendable {
    /// - Parameter host: a name.
    /// - Returns: nothing when there is no such host, or nobody says.
    func addresses(of host: EgressHost, port: Int) async -> [SocketAddress]
}

/// The system's resolver, on threads of its own: a slow server of names holds up nobody else's work. Each look-up keeps one
/// until the system has an answer or gives up.
final class SystemResolver: HostResolver {
    private let threads: NIOThreadPool
    private let resolve: @Sendable (EgressHost, Int) -> [SocketAddress]

    /// - Parameter resolve: may block. Tests put another in the system's place.
    init(
        threads count: Int,
        resolve: @escaping @Sendable (EgressHost, Int) -> [SocketAddress] = { SystemResolver.ask($0, $1) }
    ) {
        self.resolve = resolve
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    deinit { threads.shutdownGracefully { _ in } }

    func addresses(of host: EgressHost, port: Int) async -> [SocketAddress] {
        let resolve = resolve
        return (try? await threads.runIfActive { resolve(host, port) }) ?? []
    }

    private static func ask(_ host: EgressHost, _ port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host.text, "\(port)", &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next, found.count < 16 {
            if let address = entry.pointee.ai_addr {
                switch entry.pointee.ai_family {
                case AF_INET:
                    address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        found.append(SocketAddress($0.pointee))
                    }
                case AF_INET6:
                    address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        found.append(SocketAddress($0.pointee))
                    }
                default: break
                }
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}
