import API
import CLinux
import Foundation
import Glibc
import Supervisor

/// What a supervisor gets from its steward, by the environment variable ``variable``.
struct Inheritance: Codable, Sendable {
    /// Our end of the socket pair.
    var control: Int32
    /// Sockets that listen, by their addresses as the configuration names them.
    var listeners: [String: Int32]
    /// Another supervisor serves still: say when all is prepared, and wait.
    var waits: Bool
    /// How the attempt to replace a supervisor went, of which this process is the result.
    var last: UpgradeOutcome?

    static let variable = "ROOKERY_STEWARD"

    /// What this process was given. It is taken out of the environment, and no child of ours gets the descriptors.
    static func take() -> Inheritance? {
        guard let text = getenv(variable).map({ String(cString: $0) }),
            let inheritance = try? JSONDecoder().decode(Inheritance.self, from: Data(text.utf8))
        else { return nil }
        unsetenv(variable)
        for descriptor in [inheritance.control] + inheritance.listeners.values {
            _ = rk_set_close_on_exec(descriptor, 1)
        }
        return inheritance
    }
}
