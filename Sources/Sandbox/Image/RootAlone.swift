import CLinux
import Glibc
import Synchronization

/// User namespaces that know root of the host and nobody else, as an id of a sandbox's: with them an image's files are
/// root's inside too. Making one takes a process; so they are kept for the next sandbox of the same range.
enum RootAlone {
    /// More ranges than this at a time, and one is made anew.
    private static let most = 64
    private static let kept = Mutex<[UInt32: OwnedDescriptor]>([:])

    /// That of the sandboxes whose ids start at `base`.
    static func namespace(base: UInt32) throws(SandboxError) -> OwnedDescriptor {
        if let namespace = kept.withLock({ $0[base] }) { return namespace }
        let number = rk_single_id_namespace(0, base, 0, base)
        guard number >= 0 else {
            throw SandboxError(
                step: "id-map", errno: -number,
                message: "a user namespace for the image: \(SystemError.reason(-number))",
                remedy: Remedy.clone(errno: -number, rootless: false))
        }
        let namespace = OwnedDescriptor(owning: number)
        kept.withLock { kept in
            if kept.count >= most, let other = kept.keys.randomElement() { kept[other] = nil }
            kept[base] = namespace
        }
        return namespace
    }
}
