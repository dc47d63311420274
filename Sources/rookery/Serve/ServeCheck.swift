import API
import CLinux
import Foundation
import Glibc
import Policy
import Registry

/// Looks, without holding or changing anything, whether a supervisor could run with a configuration: beside one that
/// does. What another process wrote is read only once root is given up.
struct ServeCheck {
    let configuration: ServeConfiguration

    init(_ configuration: ServeConfiguration) { self.configuration = configuration }

    func run() throws {
        for program in ["rookery-launcher", "rookery-worker", "rookery-init"] {
            let path = "\(configuration.libexecDirectory)/\(program)"
            guard access(path, X_OK) == 0 else {
                throw ConfigurationError("\(path) is missing or cannot be executed: install all programs of a release")
            }
        }
        if let key = configuration.modelKeyFile, access(key, R_OK) != 0 {
            throw ConfigurationError("--model-key-file \(key) cannot be read")
        }
        _ = try PreparedServer.broughtKey(configuration)
        _ = try PolicyStore(directory: configuration.policies)
        if let name = configuration.serviceUser { try ServiceUser(named: name).become() }
        if let secrets = configuration.toolSecrets, access(secrets, R_OK | X_OK) != 0 {
            throw ConfigurationError("--tool-secrets \(secrets) cannot be read by the service's user")
        }
        if let tls = configuration.tls { try APIServer.check(tls) }
        try SessionRegistry.rehearse(directory: configuration.stateDirectory)
    }
}
