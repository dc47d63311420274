/// What a sandbox's system directories are made of.
enum SystemImage: Sendable, Hashable {
    case host(HostImage)
    /// The host's, as one tree of mounts that has a place for everything else: sent likewise.
    case prepared(PreparedTree.Layout)
    /// Its filesystem is sent to rookery-init as one mount, in the first slot.
    case built(ImageLayout)
}

/// What a built image has at its top and is shown inside. The rest of its root is generated, as for every sandbox.
public struct ImageLayout: Sendable, Hashable {
    /// Directories and links, sorted.
    public var entries: [HostImage.Entry]

    public init(entries: [HostImage.Entry]) { self.entries = entries }

    /// What is never an image's: generated, the session's own, or nothing for a session to see.
    static let hidden: Set<String> = [
        "boot", "dev", "home", "lost+found", "media", "mnt", "proc", "root", "run", "srv", "sys", "tmp", "workspace",
    ]
    /// More than this at the top is no image of ours.
    static let most = 64

    /// Whether something of this name at the image's top is shown.
    static func shows(_ name: String) -> Bool {
        !hidden.contains(name) && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || [0x2d, 0x2e, 0x5f].contains($0)
            }
    }
}

/// A built image, mounted for one sandbox.
public struct BuiltImage: Sendable {
    public var name: String
    /// The blob's, for people.
    public var digest: String
    public var layout: ImageLayout
    /// A detached mount of its root that is this sandbox's alone: it gets the sandbox's id maps.
    public var mount: OwnedDescriptor

    public init(name: String, digest: String, layout: ImageLayout, mount: OwnedDescriptor) {
        self.name = name
        self.digest = digest
        self.layout = layout
        self.mount = mount
    }
}
