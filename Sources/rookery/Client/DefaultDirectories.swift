import Foundation

/// Where state and sockets are when nobody says otherwise: the system's places for root, the user's own for others
/// (XDG base directory specification).
struct DefaultDirectories: Equatable {
    var state: String
    var runtime: String

    init(environment: [String: String], uid: uid_t = geteuid()) {
        guard uid != 0 else {
            state = "/var/lib/rookery"
            runtime = "/run/rookery"
            return
        }
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
        state = (Self.absolute(environment["XDG_STATE_HOME"]) ?? home + "/.local/state") + "/rookery"
        runtime = Self.absolute(environment["XDG_RUNTIME_DIR"]).map { $0 + "/rookery" } ?? "/tmp/rookery-\(uid)"
    }

    /// The specification says to ignore relative paths.
    private static func absolute(_ path: String?) -> String? { path.flatMap { $0.hasPrefix("/") ? $0 : nil } }
}
