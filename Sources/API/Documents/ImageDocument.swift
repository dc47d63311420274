import Foundation
import Images
import Supervisor

/// One item of `GET /v1/images`.
struct ImageDocument: Encodable, Sendable {
    var name: String
    var description: String?
    var digest: String?
    /// Bytes.
    var size: UInt64?
    var suite: String?
    var builtAt: Date?
    var packages: Int?

    init(_ view: ImageView) {
        name = view.name
        description = view.manifest == nil ? "the host's own /usr" : view.manifest?.description
        digest = view.manifest?.digest.description
        size = view.manifest?.size
        suite = view.manifest?.suite
        builtAt = view.manifest?.builtAt
        packages = view.manifest?.packages.count
    }
}
