import Foundation
import Glibc

/// A place beside the images in which one is made; what is left of an interrupted one, `gc` removes.
public final class ImageScratch: Sendable {
    public let path: String
    /// Held locked while somebody works here.
    private let descriptor: Int32

    static let prefix = ".scratch-"

    public init(in store: ImageStore) throws(ImageError) {
        try store.prepare()
        var template = Array("\(store.directory)/\(Self.prefix)XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw ImageStore.failure("cannot make a scratch directory") }
        path = String(cString: made)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = ImageStore.failure("cannot use \(path)")
            rmdir(path)
            throw failure
        }
    }

    deinit { close(descriptor) }

    public func remove() { try? FileManager.default.removeItem(atPath: path) }
}

extension ImageStore {
    /// Removes the scratch directories that nobody works in.
    func removeAbandonedScratch() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasPrefix(ImageScratch.prefix) {
            let path = "\(directory)/\(name)"
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: path) }
        }
    }
}
