import API
import Foundation
import Gateway
import Logging
import Policy

/// What `rookery serve` runs with, once flags, environment, file and defaults have been weighed.
struct ServeConfiguration {
    var listeners: [APIListener]
    /// Listeners of one foreign protocol each.
    var dedicated: [DedicatedListener]
    /// Everything that is listened on.
    var allListeners: [APIListener] { listeners + dedicated.map(\.listener) }
    /// Names in a request's Host beside the listeners' own.
    var allowedHosts: [String]
    /// Origins of pages beside the server's own.
    var allowedOrigins: [String]
    var startCommand: String
    var claudeBinary: String
    var idleTimeout: TimeSpan?
    var stateDirectory: String
    var runtimeDirectory: String
    var authenticates: Bool
    var adminTokenFile: String
    var policies: String
    var images: String
    var site: String?
    var vendor: String?
    var modelUpstream: String
    var modelKeyFile: String?
    /// nil: systemd brings it, or it is beside the registry.
    var credentialKeyFile: String?
    var sealingKeyFile: String { credentialKeyFile ?? stateDirectory + "/credential-key" }
    var prices: String
    var sharing: SharingLimits
    /// Values that the gateway adds to requests of tools.
    var toolSecrets: String?
    var transcriptionURL: String?
    var transcriptionKeyFile: String?
    var maxSessions: Int
    var maxMemory: ByteSize
    var tls: TLSFiles?
    /// nil: stay who we are.
    var serviceUser: String?
    var libexecDirectory: String
    var rootless: Bool
    var stopSessions: Bool
    /// Whether supervisor and workers give up what they do not need.
    var confined: Bool
    /// The file this was read from, for reading it again.
    var configurationFile: String?
    var logLevel: Logger.Level
    var logsJSON: Bool

    /// - Parameters:
    ///   - surroundings: what the defaults depend on.
    /// - Throws: ``ConfigurationError`` naming the source of a value that cannot be used.
    init(_ sources: SettingSources, surroundings: Surroundings) throws(ConfigurationError) {
        func text(_ key: String) -> String? { sources.value(key)?.text }
        func path(_ key: String, _ standard: String) -> String { surroundings.absolute(text(key) ?? standard) }

        rootless = try Self.flag(sources, "rootless") || !surroundings.isRoot
        stateDirectory = path("state-dir", surroundings.directories.state)
        runtimeDirectory = path("runtime-dir", surroundings.directories.runtime)
        libexecDirectory = path("libexec-dir", surroundings.installation.programs)
        startCommand = path("claude-command", surroundings.installation.startCommand)
        claudeBinary = path("claude-binary", surroundings.claudeBinary)
        policies = path("policies", surroundings.installation.policies)
        images = path("images", stateDirectory + "/images")
        site = surroundings.existing(path("web", surroundings.installation.page))
        vendor = surroundings.existing(path("web-vendor", surroundings.installation.pageAssets))
        adminTokenFile = path("admin-token-file", stateDirectory + "/admin-token")
        modelUpstream = text("model-upstream") ?? "https://api.anthropic.com"
        guard UpstreamURL(parsing: modelUpstream) != nil else {
            throw ConfigurationError(
                "\(sources.value("model-upstream")?.source ?? ""): '\(modelUpstream)' is not where a model can be; "
                    + "write https://host, http://host:port or unix:/path")
        }
        credentialKeyFile = text("credential-key-file").map(surroundings.absolute)
        prices = path("prices", surroundings.installation.prices)
        let concurrent = try Self.number(sources, "model-concurrency", 1...100_000) ?? SharingLimits().concurrent
        sharing = SharingLimits(
            concurrent: concurrent,
            perTenant: try Self.number(sources, "model-tenant-concurrency", 1...100_000) ?? concurrent,
            perMinute: try Self.number(sources, "model-tenant-rate", 1...1_000_000))
        modelKeyFile = text("model-key-file").map(surroundings.absolute)
        toolSecrets = text("tool-secrets").map(surroundings.absolute)
        transcriptionURL = text("transcription-url")
        transcriptionKeyFile = text("transcription-key-file").map(surroundings.absolute)
        if let transcriptionURL {
            let parts = URLComponents(string: transcriptionURL)
            guard ["http", "https"].contains(parts?.scheme), !(parts?.host ?? "").isEmpty, parts?.user == nil else {
                throw ConfigurationError(
                    "\(sources.value("transcription-url")?.source ?? ""): '\(transcriptionURL)' is not where speech can "
                        + "go; write https://host/v1/audio/transcriptions")
            }
        }
        serviceUser = rootless ? nil : text("service-user") ?? "rookery"
        stopSessions = try Self.flag(sources, "stop-sessions")
        confined = try !Self.flag(sources, "no-confinement")
        configurationFile = sources.filePath
        authenticates = try Self.choice(sources, "auth", ["token": true, "none": false]) ?? true
        logsJSON = try Self.choice(sources, "log-format", ["text": false, "json": true]) ?? false
        let levels = Dictionary(uniqueKeysWithValues: Logger.Level.allCases.map { ($0.rawValue, $0) })
        logLevel = try Self.choice(sources, "log-level", levels) ?? .info
        maxSessions = try Self.number(sources, "max-sessions", 1...100_000) ?? 64
        maxMemory = try Self.size(sources, "max-memory") ?? surroundings.memory
        idleTimeout = try Self.number(sources, "idle-sec", 1...315_360_000).map { .seconds(UInt64($0)) }

        let binds = sources.values("bind")
        var listeners: [APIListener] = []
        for bind in binds.isEmpty ? [Setting(text: "127.0.0.1:3000", source: "the default")] : binds {
            listeners.append(try Self.listener(bind))
        }
        self.listeners = listeners
        let faces: [(String, ListenerFace)] = [
            ("claude-socket-bind", .claudeSocket), ("claude-remote-bind", .claudeRemote),
            ("companion-bind", .companion),
        ]
        var dedicated: [DedicatedListener] = []
        for (key, face) in faces {
            for setting in sources.values(key) { dedicated.append(DedicatedListener(try Self.listener(setting), face)) }
        }
        self.dedicated = dedicated

        allowedHosts = sources.values("allowed-host").map(\.text)
        allowedOrigins = sources.values("allowed-origin").map(\.text)
        for setting in sources.values("allowed-host") where !Self.isHostName(setting.text) {
            throw ConfigurationError(
                "\(setting.source): '\(setting.text)' is not a host's name; write it without scheme and port")
        }
        for setting in sources.values("allowed-origin") where !Self.isOrigin(setting.text) {
            throw ConfigurationError(
                "\(setting.source): '\(setting.text)' is not an origin; write https://host or http://host:port")
        }

        switch (text("tls-cert"), text("tls-key")) {
        case (let certificate?, let key?):
            tls = TLSFiles(certificate: surroundings.absolute(certificate), key: surroundings.absolute(key))
        case (nil, nil): tls = nil
        default: throw ConfigurationError("--tls-cert and --tls-key go together; give both or neither")
        }
    }

    /// Letters, digits, dots and hyphens: a name as it stands in a Host header (RFC 9110, 7.2).
    private static func isHostName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0)
                    || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            }
    }

    /// `scheme://host[:port]` and nothing after it (RFC 6454, 6.2).
    private static func isOrigin(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
        let parts = text.dropFirst(scheme.count).split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, isHostName(String(host)), parts.count <= 2 else { return false }
        return parts.count == 1 || UInt16(parts[1]) != nil
    }

    private static func listener(_ setting: Setting) throws(ConfigurationError) -> APIListener {
        if setting.text.hasPrefix("unix:/") { return .unix(path: String(setting.text.dropFirst("unix:".count))) }
        guard let colon = setting.text.lastIndex(of: ":"),
            let port = UInt16(setting.text[setting.text.index(after: colon)...]),
            colon != setting.text.startIndex
        else {
            throw ConfigurationError(
                "\(setting.source): '\(setting.text)' is not an address; write HOST:PORT, [IPV6]:PORT or unix:/path")
        }
        var host = String(setting.text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return .tcp(host: host, port: Int(port))
    }

    private static func choice<Value>(
        _ sources: SettingSources, _ key: String, _ choices: [String: Value]
    ) throws(ConfigurationError) -> Value? {
        guard let setting = sources.value(key) else { return nil }
        guard let value = choices[setting.text.lowercased()] else {
            throw ConfigurationError(
                "\(setting.source): '\(setting.text)' is none of \(choices.keys.sorted().joined(separator: ", "))")
        }
        return value
    }

    private static func flag(_ sources: SettingSources, _ key: String) throws(ConfigurationError) -> Bool {
        try choice(sources, key, ["true": true, "1": true, "yes": true, "false": false, "0": false, "no": false])
            ?? false
    }

    private static func number(
        _ sources: SettingSources, _ key: String, _ range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int? {
        guard let setting = sources.value(key) else { return nil }
        guard let number = Int(setting.text), range.contains(number) else {
            throw ConfigurationError(
                "\(setting.source): '\(setting.text)' is not a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    private static func size(_ sources: SettingSources, _ key: String) throws(ConfigurationError) -> ByteSize? {
        guard let setting = sources.value(key) else { return nil }
        guard let size = ByteSize(parsing: setting.text), size.bytes > 0 else {
            throw ConfigurationError("\(setting.source): '\(setting.text)' is not a size; write 16GiB, 512MiB or bytes")
        }
        return size
    }
}
