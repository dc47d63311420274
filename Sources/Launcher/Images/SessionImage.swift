import Foundation
import Glibc
import Images
import Policy
import Sandbox
import WorkerControl

/// The image of one session: which blob it has is noted in its directory at its first start.
struct SessionImage {
    let mounts: ImageMounts
    let rootless: Bool

    /// nil for the host's.
    func mount(_ rules: SandboxRules, for session: Directory) throws(LaunchFailure) -> BuiltImage? {
        guard rules.image != SessionPolicy.hostImage else { return nil }
        if let problem = ImageName.problem(with: rules.image) { throw LaunchFailure(problem) }
        guard !rootless else { throw Self.rootlessFailure(rules.image) }
        let earlier = Self.note(in: session)
        let (image, note) = try mounts.mount(rules.image, earlier: earlier)
        if note != earlier { try Self.write(note, in: session) }
        return image
    }

    static func rootlessFailure(_ name: String) -> LaunchFailure {
        LaunchFailure(
            step: "image", errno: EPERM,
            message: "a user namespace cannot mount the image '\(name)': squashfs is for root alone",
            remedy: "use the image 'host' here, or run the launcher as root")
    }

    private static func note(in session: Directory) -> ImageNote? {
        guard let file = try? session.open(ImageNote.fileName, flags: O_RDONLY | O_NONBLOCK) else { return nil }
        return withExtendedLifetime(file) {
            let data = try? FileHandle(fileDescriptor: file.number, closeOnDealloc: false)
                .read(upToCount: ImageNote.largest)
            return data.flatMap { try? JSONDecoder().decode(ImageNote.self, from: $0) }
        }
    }

    static func draft(in session: Directory) -> Draft { Draft(of: ImageNote.fileName, in: session) }

    private static func write(_ note: ImageNote, in session: Directory) throws(LaunchFailure) {
        do throws(SystemError) {
            guard let data = try? JSONEncoder().encode(note) else {
                throw SystemError(call: "encode the image's note", errno: EINVAL)
            }
            let draft = Self.draft(in: session)
            draft.remove()
            let file = try draft.open(flags: O_WRONLY | O_EXCL)
            let written = data.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
            guard written == data.count else {
                throw SystemError(call: "write \(draft.path)", errno: written < 0 ? errno : ENOSPC)
            }
            try draft.publish(as: ImageNote.fileName)
        } catch {
            throw LaunchFailure(
                step: "image", errno: error.errno, message: "\(error)", remedy: "free space on the disk of the sessions"
            )
        }
    }
}
