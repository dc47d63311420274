import CLinux
import Glibc
import Synchronization

/// The `host` image and the places for all that a session adds, as one tree of mounts that is made once and copied with a
/// single call for each sandbox. What is not a mount in it lies on filesystems of memory that are read-only themselves:
/// sandboxes share them, and nobody can write them, as nobody can write what they share of the host.
struct PreparedTree: Sendable {
    /// Two sandboxes of equal layouts get copies of one tree.
    struct Layout: Sendable, Hashable {
        var host: HostImage
        /// Which look at the host this is: what lies at a path may have become another file.
        var look: Int
        /// Where directories of the policy are shown.
        var targets: [String]
        /// Names below /dev.
        var devices: [String]
        /// Whether /usr/local/bin has a place for Claude Code.
        var coversLocalPrograms: Bool
    }

    /// Detached; in no mount namespace.
    private let root: OwnedDescriptor

    init(root: OwnedDescriptor) { self.root = root }

    /// A copy for one sandbox in which root's files are its root's, made anew only when the host's files have changed; nil
    /// where the kernel cannot do it (before 6.15 a detached mount takes no others) or a filesystem has no id maps: the
    /// sandbox is then put together mount by mount.
    static func copy(of layout: Layout, rootAlone: OwnedDescriptor) -> OwnedDescriptor? {
        guard let tree = tree(of: layout) else { return nil }
        let copy = rk_open_tree(tree.root.number, "", true)
        guard copy >= 0 else { return nil }
        let owned = OwnedDescriptor(owning: copy)
        let shown = withExtendedLifetime((tree, rootAlone)) { rk_set_mount(copy, 0, rootAlone.number, true) }
        return shown >= 0 ? owned : nil
    }

    // MARK: Kept

    private enum Attempt {
        case made(PreparedTree)
        case impossible
    }

    private static let most = 8
    private static let kept = Mutex<[Layout: Attempt]>([:])

    private static func tree(of layout: Layout) -> PreparedTree? {
        kept.withLock { kept in
            switch kept[layout] {
            case .made(let tree): return tree
            case .impossible: return nil
            case nil: break
            }
            // A tree holds on to the files that it shows: none outlives a change of the host.
            kept = kept.filter { $0.key.look == layout.look }
            if kept.count >= most, let other = kept.keys.randomElement() { kept[other] = nil }
            guard let tree = try? PreparedTree(layout) else {
                kept[layout] = .impossible
                return nil
            }
            kept[layout] = .made(tree)
            return tree
        }
    }
}
