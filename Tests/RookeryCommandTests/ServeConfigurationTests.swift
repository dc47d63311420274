import API
import Foundation
import Policy
import Testing

@testable import rookery

/// Flag over environment over file over default, and every bad value named with its source.
@Suite struct ServeConfigurationTests {
    static func surroundings(root: Bool) -> Surroundings {
        let environment = ["HOME": "/home/ada", "PATH": "/usr/bin"]
        return Surroundings(
            isRoot: root, environment: environment, currentDirectory: "/srv",
            installation: Installation(executable: "/opt/rookery/bin/rookery") { _ in false },
            directories: DefaultDirectories(environment: environment, uid: root ? 0 : 1001),
            totalMemory: .gibibytes(8), exists: { _ in false })
    }

    static func resolve(
        flags: [String: [String]] = [:], environment: [String: String] = [:], file: [String: [String]] = [:],
        root: Bool = true
    ) throws -> ServeConfiguration {
        try ServeConfiguration(
            SettingSources(flags: flags, environment: environment, file: file, filePath: "/etc/rookery.yaml"),
            surroundings: surroundings(root: root))
    }

    @Test func theStrongestSourceWins() throws {
        let file = ["bind": ["127.0.0.1:1"]]
        let echokit = ["ECHOKIT_CC_BIND_ADDR": "127.0.0.1:2"]
        let own = echokit.merging(["ROOKERY_BIND": "127.0.0.1:3"]) { $1 }
        let flags = ["bind": ["127.0.0.1:4", "unix:/run/r.sock"]]
        #expect(try Self.resolve().listeners == [.tcp(host: "127.0.0.1", port: 3000)])
        #expect(try Self.resolve(file: file).listeners == [.tcp(host: "127.0.0.1", port: 1)])
        #expect(try Self.resolve(environment: echokit, file: file).listeners == [.tcp(host: "127.0.0.1", port: 2)])
        #expect(try Self.resolve(environment: own, file: file).listeners == [.tcp(host: "127.0.0.1", port: 3)])
        #expect(
            try Self.resolve(flags: flags, environment: own, file: file).listeners
                == [.tcp(host: "127.0.0.1", port: 4), .unix(path: "/run/r.sock")])
    }

    @Test(arguments: [
        ("ECHOKIT_CLAUDE_COMMAND", "/srv/run.sh", \ServeConfiguration.startCommand),
        ("ECHOKIT_WORKING_PATH", "/srv/echokit", \ServeConfiguration.stateDirectory),
    ])
    func echokitsVariablesCount(name: String, value: String, key: any KeyPath<ServeConfiguration, String> & Sendable)
        throws
    {
        #expect(try Self.resolve(environment: [name: value])[keyPath: key] == value)
    }

    @Test func echokitsIdleTimeoutCounts() throws {
        #expect(try Self.resolve(environment: ["ECHOKIT_IDLE_TIMEOUT": "120"]).idleTimeout == .seconds(120))
        #expect(try Self.resolve().idleTimeout == nil)
    }

    @Test func anOrdinaryUserRunsRootlessInItsOwnDirectories() throws {
        let configuration = try Self.resolve(root: false)
        #expect(configuration.rootless)
        #expect(configuration.serviceUser == nil)
        #expect(configuration.stateDirectory == "/home/ada/.local/state/rookery")
        let privileged = try Self.resolve()
        #expect(!privileged.rootless)
        #expect(privileged.serviceUser == "rookery")
        #expect(privileged.stateDirectory == "/var/lib/rookery")
        #expect(privileged.adminTokenFile == "/var/lib/rookery/admin-token")
    }

    @Test(arguments: [
        ("bind", "3000"), ("bind", "localhost:port"), ("bind", "localhost:70000"), ("auth", "maybe"),
        ("max-sessions", "0"), ("max-memory", "lots"), ("idle-sec", "-1"), ("log-level", "loud"),
        ("log-format", "xml"), ("rootless", "perhaps"), ("allowed-host", "https://a"), ("allowed-host", "a/b"),
        ("allowed-origin", "rooks.example"), ("allowed-origin", "https://a/b"),
    ])
    func aBadValueNamesItsSource(key: String, value: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.resolve(flags: [key: [value]]) }
        #expect(error?.description.contains("--\(key)") == true)
        #expect(error?.description.contains(value) == true)
    }

    @Test func namesBehindAProxyAreTaken() throws {
        let configuration = try Self.resolve(
            flags: ["allowed-host": ["rooks.example"], "allowed-origin": ["https://rooks.example:8443"]])
        #expect(configuration.allowedHosts == ["rooks.example"])
        #expect(configuration.allowedOrigins == ["https://rooks.example:8443"])
    }

    @Test func aCertificateNeedsItsKey() {
        #expect(throws: ConfigurationError.self) { try Self.resolve(flags: ["tls-cert": ["a.pem"]]) }
    }

    @Test func aFileIsReadAndItsUnknownKeysAreErrors() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "rk-\(UUID()).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "bind: [127.0.0.1:8080, 'unix:/run/r.sock']\nmax-sessions: 7\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect(
            try SettingSources.file(at: path) == [
                "bind": ["127.0.0.1:8080", "unix:/run/r.sock"], "max-sessions": ["7"],
            ])
        try "bnid: x\n".write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: ConfigurationError.self) { try SettingSources.file(at: path) }
        #expect(error?.description.contains("'bnid'") == true)
    }
}
