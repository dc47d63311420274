import Glibc

/// What a refused call fails with.
enum RefusalAnswer {
    private static let (inet, inet6, netlink): (UInt32, UInt32, UInt32) = (2, 10, 16)
    private static let (stream, datagram): (UInt32, UInt32) = (1, 2)

    /// Sockets that this machine might well lack are asked for by portable programs: they know the answers of a kernel
    /// without them. `family` and `type` are a socket call's first two arguments.
    static func errno(of call: String?, _ family: UInt64, _ type: UInt64) -> Int32 {
        guard call == "socket" || call == "socketpair" else { return EPERM }
        switch UInt32(truncatingIfNeeded: family) {
        case netlink where call == "socket": return EPROTONOSUPPORT
        case inet where call == "socket", inet6 where call == "socket":
            // The flags lie above the type.
            let kind = UInt32(truncatingIfNeeded: type) & 0xF
            return kind == stream || kind == datagram ? EPROTONOSUPPORT : EPERM
        default: return EAFNOSUPPORT
        }
    }
}
