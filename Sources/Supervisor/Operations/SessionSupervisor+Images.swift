public import Images
import Policy
public import Registry

extension SessionSupervisor {
    /// The images that a session may be made of, the host's first.
    public func images(as principal: Principal) -> [ImageView] {
        [ImageView(name: SessionPolicy.hostImage, manifest: nil)]
            + (configuration.images?.manifests ?? []).map { ImageView(name: $0.name, manifest: $0) }
    }

    /// The image of a new session: what it asks for where its policy allows that, else the policy's own.
    func image(_ asked: String?, policy: SessionPolicy) throws(SupervisorError) -> String {
        let image = asked ?? policy.sandbox.image
        let names = [SessionPolicy.hostImage] + (configuration.images?.names ?? [])
        guard names.contains(image) else {
            throw SupervisorError(
                .invalid, "there is no image '\(image.prefix(64))': there are \(names.joined(separator: ", "))")
        }
        guard asked == nil || policy.allows(image: image) else {
            let allowed = ([policy.sandbox.image] + policy.bounds.images).joined(separator: ", ")
            throw Self.outside(policy, "the image '\(image)'", "use \(allowed)")
        }
        return image
    }
}

/// One image as the API shows it.
public struct ImageView: Sendable {
    public var name: String
    /// nil: the host's.
    public var manifest: ImageManifest?

    public init(name: String, manifest: ImageManifest?) {
        self.name = name
        self.manifest = manifest
    }
}
