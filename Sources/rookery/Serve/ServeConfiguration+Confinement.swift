import API
import Confinement
import Foundation

extension ServeConfiguration {
    /// What the supervisor may still do once it runs: read what it was told of, write where its state and sockets are,
    /// listen on its ports, and connect to the model.
    var confinement: Confinement {
        var writable = [stateDirectory, runtimeDirectory, (adminTokenFile as NSString).deletingLastPathComponent]
        var ports: [UInt16] = []
        for listener in listeners + dedicated.map(\.listener) {
            switch listener {
            case .tcp(_, let port): ports.append(UInt16(clamping: port))
            case .unix(let path): writable.append((path as NSString).deletingLastPathComponent)
            }
        }
        let readable = [policies, images, site, vendor, toolSecrets, configurationFile, tls?.certificate, tls?.key]
            .compactMap { $0 }
        return Confinement(
            files: FileRules(readable: FileRules.system + ["/sys/fs/cgroup"] + readable, writable: writable),
            ports: PortRules(listen: ports, connects: true), watchesProcesses: true)
    }
}
