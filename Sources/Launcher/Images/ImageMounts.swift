import CLinux
import Glibc
import Images
import Sandbox
import Synchronization
import WorkerControl

/// Mounts built images for sandboxes: one loop device and one filesystem for each blob, however many sessions show it,
/// so that they share its files in memory.
final class ImageMounts: Sendable {
    let store: ImageStore
    /// Blobs that were mounted already. Each stays mounted here, in no directory, until no image has its digest.
    private let held = Mutex<[ImageDigest: HeldImage]>([:])

    init(_ store: ImageStore) { self.store = store }

    /// A mount of its own of the image that a name stands for.
    /// - Parameter earlier: what the session had before: the same blob again when it is still there, whatever the name
    ///   stands for by now.
    func mount(_ name: String, earlier: ImageNote?) throws(LaunchFailure) -> (image: BuiltImage, note: ImageNote) {
        let digest: ImageDigest
        if let earlier, earlier.name == name, let file = try? store.openBlob(earlier.digest) {
            file.close()
            digest = earlier.digest
        } else {
            do { digest = try store.manifest(named: name).digest } catch { throw LaunchFailure(error) }
        }
        let held = try hold(digest)
        do throws(SystemError) {
            let image = BuiltImage(
                name: name, digest: digest.description, layout: held.layout, mount: try held.mount())
            return (image, ImageNote(name: name, digest: digest))
        } catch { throw Self.failure(digest, error) }
    }

    private func hold(_ digest: ImageDigest) throws(LaunchFailure) -> HeldImage {
        // Under the lock: two sessions at once must not each attach a device.
        try held.withLock { (held) throws(LaunchFailure) in
            if let image = held[digest] { return image }
            let file: ImageFile
            do throws(ImageError) { file = try store.openBlob(digest) } catch { throw LaunchFailure(error) }
            defer { file.close() }
            let image = try HeldImage(file, digest)
            // What no name stands for any more is let go, for `gc` to remove once its sessions have ended.
            let named = Set(store.manifests.map(\.digest))
            held = held.filter { named.contains($0.key) }
            held[digest] = image
            return image
        }
    }

    fileprivate static func failure(_ digest: ImageDigest, _ error: SystemError) -> LaunchFailure {
        let remedy =
            switch error.errno {
            case ENOENT, ENXIO: "the kernel must have loop devices and squashfs: modprobe loop; modprobe squashfs"
            case EPERM, EACCES: "a built image needs a launcher that is root: use the image 'host' here"
            case EINVAL: "build the image again; its file is not a squashfs that this kernel can read"
            default: ""
            }
        return LaunchFailure(
            step: "image", errno: error.errno, message: "cannot mount the blob \(digest): \(error)", remedy: remedy)
    }
}

/// One blob, attached to a loop device that lives as long as this or any mount of it.
private struct HeldImage: Sendable {
    private let device: String
    private let loop: OwnedDescriptor
    /// Keeps the filesystem, and with it its files in memory, from one session to the next.
    private let root: OwnedDescriptor
    let layout: ImageLayout

    init(_ file: ImageFile, _ digest: ImageDigest) throws(LaunchFailure) {
        do throws(SystemError) {
            var path = [CChar](repeating: 0, count: Int(RK_LOOP_PATH))
            var isNew: Int32 = 0
            loop = OwnedDescriptor(
                owning: try SystemError.check("loop device", rk_loop_device(file.descriptor, &path, &isNew)))
            device = String(decoding: path.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            // Whoever attached it before us, another launcher, has read it too.
            if isNew == 1 {
                do throws(ImageError) { try file.verify(digest) } catch {
                    throw SystemError(call: error.problem, errno: error.errno)
                }
            }
            root = OwnedDescriptor(
                owning: try SystemError.check("mount \(device)", rk_mount_device("squashfs", device)))
            layout = try ImageLayout(of: root)
        } catch { throw ImageMounts.failure(digest, error) }
    }

    /// Another mount of the same filesystem.
    func mount() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try SystemError.check("mount \(device)", rk_mount_device("squashfs", device)))
    }
}

extension LaunchFailure {
    init(_ error: ImageError) {
        self.init(step: "image", errno: error.errno, message: error.problem, remedy: error.remedy)
    }
}
