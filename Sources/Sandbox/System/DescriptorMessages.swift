import CLinux
import Glibc

/// Messages with descriptors over a Unix socket (SCM_RIGHTS).
public enum DescriptorMessages {
    /// A connected pair; both close on exec.
    public static func socketPair(type: Int32) throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
        var pair: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { rk_socket_pair(type, $0) }
        }
        try SystemError.check("socketpair", result)
        return (OwnedDescriptor(owning: pair.0), OwnedDescriptor(owning: pair.1))
    }

    /// A pipe; both ends close on exec.
    public static func pipe() throws(SystemError) -> (read: OwnedDescriptor, write: OwnedDescriptor) {
        var pair: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { rk_pipe($0) }
        }
        try SystemError.check("pipe2", result)
        return (OwnedDescriptor(owning: pair.0), OwnedDescriptor(owning: pair.1))
    }

    /// Sends one message; `bytes` must not be empty. On a stream socket fewer bytes may go: returns how many.
    @discardableResult
    public static func send(
        _ bytes: [UInt8], descriptors: [OwnedDescriptor] = [], over socket: OwnedDescriptor
    ) throws(SystemError) -> Int {
        let numbers = descriptors.map(\.number)
        let result = withExtendedLifetime((descriptors, socket)) {
            rk_send_descriptors(socket.number, bytes, bytes.count, numbers, numbers.count)
        }
        return try SystemError.check("sendmsg", result)
    }

    /// Receives one message; empty `bytes` is the end of the connection.
    public static func receive(
        from socket: OwnedDescriptor, capacity: Int, descriptors: Int = 0
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [OwnedDescriptor]) {
        var bytes = [UInt8](repeating: 0, count: capacity)
        var numbers = [Int32](repeating: -1, count: descriptors)
        var count = 0
        let result = withExtendedLifetime(socket) {
            rk_receive_descriptors(socket.number, &bytes, capacity, &numbers, descriptors, &count, 0)
        }
        try SystemError.check("recvmsg", result)
        return (Array(bytes.prefix(result)), numbers.prefix(count).map(OwnedDescriptor.init(owning:)))
    }

    /// A memfd with these bytes that nobody can change.
    public static func sealedMemory(named name: String, _ bytes: [UInt8]) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try SystemError.check("memfd_create", rk_sealed_memory(name, bytes, bytes.count)))
    }
}
