import Foundation
import Yams

/// Where a setting's value came from: named in errors, so that the reader knows what to change.
struct Setting: Equatable {
    var text: String
    var source: String
}

/// The three sources of settings, strongest first: flags, environment, configuration file.
struct SettingSources {
    /// Values by key; repeatable flags have several.
    var flags: [String: [String]]
    var environment: [String: String]
    var file: [String: [String]]
    var filePath: String?

    /// Names that echokit's users have in their environment already.
    static let echokitVariables = [
        "bind": "ECHOKIT_CC_BIND_ADDR", "claude-command": "ECHOKIT_CLAUDE_COMMAND",
        "idle-sec": "ECHOKIT_IDLE_TIMEOUT", "state-dir": "ECHOKIT_WORKING_PATH",
    ]

    /// Every key that a flag, a variable or a file may set.
    static let keys: Set<String> = [
        "bind", "claude-socket-bind", "claude-remote-bind", "companion-bind", "allowed-host", "allowed-origin",
        "claude-command", "claude-binary", "idle-sec", "state-dir",
        "runtime-dir", "auth", "admin-token-file",
        "policies", "images", "web", "web-vendor", "model-upstream", "model-key-file", "credential-key-file", "prices",
        "model-concurrency", "model-tenant-concurrency", "model-tenant-rate", "tool-secrets",
        "transcription-url", "transcription-key-file", "max-sessions", "max-memory",
        "tls-cert", "tls-key", "service-user", "libexec-dir", "log-level", "log-format", "rootless", "stop-sessions",
        "no-confinement",
    ]

    /// All values of the strongest source that has the key.
    func values(_ key: String) -> [Setting] {
        if let values = flags[key], !values.isEmpty { return values.map { Setting(text: $0, source: "--\(key)") } }
        let variable = "ROOKERY_" + key.uppercased().replacing("-", with: "_")
        for name in [variable, Self.echokitVariables[key]].compactMap({ $0 }) {
            if let value = environment[name], !value.isEmpty { return [Setting(text: value, source: name)] }
        }
        return (file[key] ?? []).map { Setting(text: $0, source: "\(key) in \(filePath ?? "the configuration")") }
    }

    func value(_ key: String) -> Setting? { values(key).last }

    /// Reads a configuration file: one YAML mapping, keys as the flags' names, scalars or lists of scalars.
    static func file(at path: String) throws(ConfigurationError) -> [String: [String]] {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
            throw ConfigurationError("--config \(path) cannot be read; name a YAML file that this user may read")
        }
        let node: Node?
        do { node = try Yams.compose(yaml: String(decoding: data, as: UTF8.self)) } catch {
            throw ConfigurationError("\(path) is not YAML: \(error)")
        }
        guard let node else { return [:] }
        guard case .mapping(let mapping) = node else {
            throw ConfigurationError("\(path) is not a mapping of keys to values")
        }
        var settings: [String: [String]] = [:]
        for (name, value) in mapping {
            let key = name.scalar?.string ?? ""
            guard keys.contains(key) else {
                throw ConfigurationError("\(path): unknown key '\(key)'; 'rookery serve --help' lists the keys")
            }
            switch value {
            case .scalar(let scalar): settings[key] = [scalar.string]
            case .sequence(let items) where items.allSatisfy { $0.scalar != nil }:
                settings[key] = items.compactMap { $0.scalar?.string }
            default: throw ConfigurationError("\(path): '\(key)' takes a value or a list of values")
            }
        }
        return settings
    }
}

/// A setting that cannot be used. The text names where it came from and what would do.
struct ConfigurationError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

extension ServeOptions {
    /// What was given on the command line, by key.
    var given: [String: [String]] {
        var given: [String: [String]] = [
            "bind": bind, "claude-socket-bind": claudeSocketBind, "claude-remote-bind": claudeRemoteBind,
            "companion-bind": companionBind, "allowed-host": allowedHosts, "allowed-origin": allowedOrigins,
        ]
        for (key, value) in [
            ("claude-command", claudeCommand), ("claude-binary", claudeBinary), ("idle-sec", idleSec),
            ("state-dir", stateDir), ("runtime-dir", runtimeDir), ("auth", auth),
            ("admin-token-file", adminTokenFile), ("policies", policies), ("images", images), ("web", web),
            ("web-vendor", webVendor), ("model-upstream", modelUpstream), ("model-key-file", modelKeyFile),
            ("credential-key-file", credentialKeyFile), ("prices", prices),
            ("model-concurrency", modelConcurrency), ("model-tenant-concurrency", modelTenantConcurrency),
            ("model-tenant-rate", modelTenantRate), ("tool-secrets", toolSecrets),
            ("transcription-url", transcriptionUrl),
            ("transcription-key-file", transcriptionKeyFile),
            ("max-sessions", maxSessions), ("max-memory", maxMemory), ("tls-cert", tlsCert), ("tls-key", tlsKey),
            ("service-user", serviceUser), ("libexec-dir", libexecDir), ("log-level", logLevel),
            ("log-format", logFormat), ("rootless", rootless ? "true" : nil),
            ("stop-sessions", stopSessions ? "true" : nil), ("no-confinement", noConfinement ? "true" : nil),
        ] {
            if let value { given[key] = [value] }
        }
        return given
    }
}
