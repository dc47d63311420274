import CLinux
import Foundation
import Glibc

/// Changes to the directory of images. One at a time; what they put there appears whole or not at all.
extension ImageStore {
    /// Makes the directory where it is missing. Everybody may read it. The state directory above it may be missing too.
    public func prepare() throws(ImageError) {
        mkdir((directory as NSString).deletingLastPathComponent, 0o711)
        for path in [directory, "\(directory)/\(Self.blobs)"] {
            if mkdir(path, 0o755) == 0 {
                // Whatever the umask was.
                _ = chmod(path, 0o755)
                continue
            }
            guard errno == EEXIST else { throw Self.failure("cannot make \(path)") }
        }
    }

    /// Takes a finished blob over from a scratch directory and gives it its name.
    /// - Parameter describe: the manifest for the blob's digest and size.
    /// - Returns: the manifest as it was written.
    public func add(
        blob: String, describe: (ImageDigest, UInt64) -> ImageManifest
    ) throws(ImageError) -> ImageManifest {
        try prepare()
        return try withLock { () throws(ImageError) in
            let file = Glibc.open(blob, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { throw Self.failure("cannot open \(blob)") }
            defer { close(file) }
            var status = stat()
            guard fchmod(file, 0o444) == 0, fsync(file) == 0, fstat(file, &status) == 0 else {
                throw Self.failure("cannot finish \(blob)")
            }
            let digest = try ImageDigest(of: file)
            let manifest = describe(digest, UInt64(max(status.st_size, 0)))
            if let problem = ImageName.problem(with: manifest.name) { throw problem }
            let place = "\(directory)/\(Self.blobs)/\(digest.fileName)"
            guard rename(blob, place) == 0 else { throw Self.failure("cannot put the blob at \(place)") }
            try write(manifest)
            return manifest
        }
    }

    /// Takes an image's name away; its blob stays until ``collect(keeping:)``.
    public func remove(_ name: String) throws(ImageError) {
        try withLock { () throws(ImageError) in
            if let problem = ImageName.problem(with: name) { throw problem }
            guard unlink("\(directory)/\(Self.manifestFile(name))") == 0 else {
                throw errno == ENOENT ? unknown(name) : Self.failure("cannot remove the image '\(name)'")
            }
        }
    }

    /// Removes the blobs that no image names, that are not among `kept` and that are not mounted, and what interrupted
    /// builds left behind.
    public func collect(
        keeping kept: Set<ImageDigest>, dryRun: Bool = false
    ) throws(ImageError) -> [(digest: ImageDigest, size: UInt64)] {
        try withLock { () throws(ImageError) in
            var used = kept
            for name in names {
                // One that cannot be read may name any of them.
                used.insert(try manifest(named: name).digest)
            }
            var removed: [(digest: ImageDigest, size: UInt64)] = []
            for blob in storedBlobs where !used.contains(blob.digest) && !isMounted(blob.digest) {
                let path = "\(directory)/\(Self.blobs)/\(blob.digest.fileName)"
                guard dryRun || unlink(path) == 0 else { throw Self.failure("cannot remove \(path)") }
                removed.append(blob)
            }
            if !dryRun { removeAbandonedScratch() }
            return removed
        }
    }

    /// Whether a loop device shows the blob, on the whole machine.
    public func isMounted(_ digest: ImageDigest) -> Bool {
        guard let file = try? openBlob(digest) else { return false }
        defer { file.close() }
        var identity = rk_identity()
        guard rk_identify(file.descriptor, &identity) == 0 else { return false }
        return rk_loop_shows(identity.device, identity.inode) == 1
    }

    private func write(_ manifest: ImageManifest) throws(ImageError) {
        let path = "\(directory)/\(Self.manifestFile(manifest.name))"
        let temporary = "\(directory)/.\(manifest.name).new"
        guard var data = try? Self.encoder.encode(manifest) else {
            throw ImageError("the manifest of '\(manifest.name)' cannot be written down", remedy: "")
        }
        data.append(UInt8(ascii: "\n"))
        let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { throw Self.failure("cannot write \(temporary)") }
        defer { close(file) }
        let written = data.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        guard written == data.count, fchmod(file, 0o644) == 0, fsync(file) == 0, rename(temporary, path) == 0 else {
            throw Self.failure("cannot write \(path)")
        }
    }

    private func withLock<Result>(_ body: () throws(ImageError) -> Result) throws(ImageError) -> Result {
        let lock = Glibc.open("\(directory)/.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw Self.failure("cannot lock \(directory)") }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw Self.failure("cannot lock \(directory)") }
        }
        return try body()
    }

    static func failure(_ problem: String) -> ImageError {
        let code = errno
        let remedy =
            switch code {
            case EACCES, EPERM: "run this as root, or name a directory of your own with --images"
            case ENOSPC, EDQUOT: "free space on the disk"
            case ENOENT: "name the directory with --images"
            default: ""
            }
        return ImageError("\(problem): \(String(cString: strerror(code)))", remedy: remedy, errno: code)
    }
}
