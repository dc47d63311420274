import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// Where a session's own files (workspace, home, what it changes of its system) are for the time of a launch, and what
/// bounds them: an image of its own where its policy has a disk limit and this box can, else plain directories.
struct SessionFiles {
    /// Holds `workspace` and `home`.
    let root: Directory
    /// nil: plain directories.
    let mount: DiskMount?
    /// `disk`, `inodes` and `unwritten`.
    let limits: [EnforcedLimit]
    /// This launch made the image.
    let isNew: Bool

    /// Finds the session's files, or makes a place for them.
    static func open(
        _ id: SessionID, session: Directory, directories: SessionDirectories, limits: ResourceLimits
    ) throws(LaunchFailure) -> SessionFiles {
        if let disks = directories.disks, let image = try DiskImage.open(id, in: disks) {
            return mounted(try DiskMount(image, id, in: directories.records), image, limits, isNew: false)
        }
        guard let disk = limits.disk, let inodes = limits.effectiveInodes else {
            return plain(session, limits, "the policy sets none")
        }
        if ((try? session.directoryIfThere("workspace")) ?? nil) != nil {
            return plain(
                session, limits, "the session's files are plain directories from before there was a limit on them")
        }
        if let lack = DiskSupport.lack(directories.configuration) { return plain(session, limits, lack) }
        guard let disks = directories.disks else { return plain(session, limits, "there is no place for images") }
        let image = try DiskImage.make(id, size: disk, inodes: inodes, in: disks)
        do throws(LaunchFailure) {
            return mounted(try DiskMount(image, id, in: directories.records), image, limits, isNew: true)
        } catch {
            try? DiskImage.remove(id, in: disks)
            throw error
        }
    }

    private static func plain(_ session: Directory, _ limits: ResourceLimits, _ reason: String) -> SessionFiles {
        SessionFiles(
            root: session, mount: nil, limits: LimitReport.disk(limits, notEnforced: reason), isNew: false)
    }

    private static func mounted(
        _ mount: DiskMount, _ image: DiskImage, _ limits: ResourceLimits, isNew: Bool
    ) -> SessionFiles {
        SessionFiles(root: mount.root, mount: mount, limits: bounded(mount, image, limits), isNew: isNew)
    }

    /// Bounds what may be unwritten, and reports all that holds of the disk.
    static func bounded(_ mount: DiskMount, _ image: DiskImage, _ limits: ResourceLimits) -> [EnforcedLimit] {
        let bound = WriteBound(loop: mount.device)
        let lack = bound.set(limits.unwritten)
        var unwritten = LimitReport.notEnforced("unwritten", limits.unwritten, lack ?? "the kernel does not say")
        if lack == nil, let bytes = bound.bytes {
            unwritten.enforced = "\(ByteSize(bytes: bytes))"
            unwritten.by = "loop-image"
            unwritten.note = "the kernel rounds it"
        }
        return report(mount.root, image, limits) + [unwritten]
    }

    /// As the kernel sees the image and the filesystem in it.
    private static func report(_ root: Directory, _ image: DiskImage, _ limits: ResourceLimits) -> [EnforcedLimit] {
        let older = "made with this when its policy said so: what a policy says now holds for new sessions"
        var disk = EnforcedLimit(
            name: "disk", asked: limits.disk.map { "\($0)" } ?? "none", enforced: "\(image.size)", by: "loop-image")
        if limits.disk != image.size { disk.note = older }
        var status = statvfs()
        guard fstatvfs(root.descriptor.number, &status) == 0 else { return [disk] }
        var inodes = EnforcedLimit(
            name: "inodes", asked: limits.effectiveInodes.map { "\($0)" } ?? "none", enforced: "\(status.f_files)",
            by: "loop-image")
        if limits.disk != image.size { inodes.note = older }
        return [disk, inodes]
    }
}
