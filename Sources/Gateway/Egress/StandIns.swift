import Foundation
import NIOCore
import Policy

/// Servers on this machine that stand for hosts of the internet, for tests with real tools. Only debug builds know of
/// them: a release has no way round the check of addresses.
enum StandIns {
    /// `ROOKERY_EGRESS_STAND_IN_ROOTS`: who vouches for them, in PEM.
    static var roots: String? {
        #if DEBUG
            return ProcessInfo.processInfo.environment["ROOKERY_EGRESS_STAND_IN_ROOTS"]
        #else
            return nil
        #endif
    }

    /// `ROOKERY_EGRESS_STAND_INS`: `pypi.org:443=127.0.0.1:8443 …`
    static var ofEnvironment: [String: SocketAddress] {
        #if DEBUG
            let text = ProcessInfo.processInfo.environment["ROOKERY_EGRESS_STAND_INS"] ?? ""
            return text.split(separator: " ").reduce(into: [:]) { standIns, entry in
                let parts = entry.split(separator: "=").map(String.init)
                guard parts.count == 2, let place = EgressDestination(authority: parts[1]),
                    let address = try? SocketAddress(ipAddress: place.host.text, port: place.port)
                else { return }
                standIns[parts[0]] = address
            }
        #else
            return [:]
        #endif
    }
}
