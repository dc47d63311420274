import API
import CLinux
import Confinement
import Foundation
import Gateway
import Logging
import Policy
import Registry
import Supervisor

/// A server up to the point where it has no privilege left: what needs root comes first, then root is given up for good,
/// and only then is anything read that another process wrote. All of it happens while the process has one thread.
struct PreparedServer: Sendable {
    let configuration: ServeConfiguration
    let log: ServerLog.Output
    let logger: Logger
    let modelKey: String?
    let transcriptionKey: String?
    let policies: PolicyStore
    let prices: PriceList
    /// Seals credentials in the registry.
    let sealingKey: SealingKey
    /// Our end of the launcher's socket.
    let control: Int32
    /// Our child at its other end.
    let launcher: pid_t
    /// Of the runtime directory: another server would take our workers for leftovers and end them.
    let lock: LifeLock
    /// What its steward gave it; nil without one.
    let inheritance: Inheritance?
    let steward: StewardLink?
    let reread: @Sendable () throws -> ServeConfiguration

    init(
        _ configuration: ServeConfiguration, _ inheritance: Inheritance?,
        reread: @escaping @Sendable () throws -> ServeConfiguration
    ) throws {
        self.configuration = configuration
        self.reread = reread
        self.inheritance = inheritance
        steward = inheritance.map { StewardLink($0.control) }
        let log = ServerLog.Output(level: configuration.logLevel, format: configuration.logsJSON ? .json : .text)
        LoggingSystem.bootstrap { ServerLog(label: $0, output: log) }
        self.log = log
        logger = Logger(label: "rookery")
        Self.prepareProcess(configuration)
        modelKey = try configuration.modelKeyFile.map { path throws(ConfigurationError) in
            try Self.key(at: path, flag: "--model-key-file")
        }
        transcriptionKey = try configuration.transcriptionKeyFile.map { path throws(ConfigurationError) in
            try Self.key(at: path, flag: "--transcription-key-file")
        }
        // While it can be read that is root's; one that is made is the service user's.
        let brought = try Self.broughtKey(configuration)
        prices = try PriceList(file: configuration.prices)
        policies = try PolicyStore(directory: configuration.policies)
        let user = try configuration.serviceUser.map { name throws(ConfigurationError) in
            try ServiceUser(named: name)
        }
        try Self.prepareDirectories(configuration, user)
        (control, launcher) = try LauncherProcess.start(configuration, user: user)
        // After the launcher, whose children are the sessions: those must not inherit it. Best effort.
        _ = rk_prefer_latency(0)
        if let user {
            try Confinement.shedPrivileges()
            try user.become()
        }
        // The last step that can be taken beside the supervisor before.
        if inheritance?.waits == true { try steward?.awaitTurn() }
        lock = try Self.lock(configuration.runtimeDirectory)
        // Alone now: two that each make one would lock each other's credentials away.
        sealingKey = try brought ?? SealingKey(file: configuration.sealingKeyFile, mayMake: true)
        if !FileManager.default.isExecutableFile(atPath: configuration.claudeBinary) {
            logger.warning(
                "Claude Code is missing: sessions that need it will not start",
                metadata: [
                    "path": "\(configuration.claudeBinary)", "remedy": "run Scripts/setup, or use --claude-binary",
                ])
        }
        guard configuration.confined else {
            logger.warning("not confined, nor are the workers: --no-confinement is for finding faults only")
            return
        }
        for gap in try configuration.confinement.apply() {
            logger.notice("weaker confinement", metadata: ["reason": "\(gap)"])
        }
    }

    /// Sockets that listen already.
    var boundListeners: [APIListener: Int32] {
        guard let inheritance else { return [:] }
        return configuration.allListeners.reduce(into: [:]) { bound, listener in
            bound[listener] = inheritance.listeners[listener.description]
        }
    }

    private static func lock(_ directory: String) throws(ConfigurationError) -> LifeLock {
        do throws(LifeLock.Failure) { return try LifeLock(path: "\(directory)/lock") } catch {
            switch error {
            case .held(let pid):
                throw ConfigurationError(
                    "the runtime directory is locked: \(pid.map { "process \($0)" } ?? "another server") uses "
                        + "\(directory); stop it, or choose another with --runtime-dir")
            case .unusable(let reason): throw ConfigurationError("the runtime directory cannot be locked: \(reason)")
            }
        }
    }

    /// Leaves no file for others, holds no directory, and may have a descriptor for every client.
    private static func prepareProcess(_ configuration: ServeConfiguration) {
        umask(0o077)
        chdir("/")
        // Where a large query spills: SQLite looks for a place by access(2), which does not ask Landlock.
        setenv("SQLITE_TMPDIR", configuration.stateDirectory, 1)
        // As root: the kernel takes sessions before it takes what holds them together.
        let rank = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
        if rank >= 0 {
            if geteuid() == 0 { _ = write(rank, "-900", 4) }
            close(rank)
        }
        // It holds credentials in clear: no core, whatever kills it. Workers and sandboxes inherit it.
        var cores = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &cores)
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = files.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
    }

    private static func prepareDirectories(
        _ configuration: ServeConfiguration, _ user: ServiceUser?
    ) throws(ConfigurationError) {
        // Others may pass, not look: the launcher's session directories below have owners of their own.
        for (directory, mode) in [
            (configuration.stateDirectory, mode_t(0o711)), (configuration.runtimeDirectory, mode_t(0o711)),
        ] {
            if let user {
                try user.own(directory: directory, mode: mode)
            } else {
                try makeDirectory(directory, mode: mode)
            }
        }
    }

    /// The credentials' key as the operator or systemd brings it; nil: it is beside the registry, or to be made.
    static func broughtKey(_ configuration: ServeConfiguration) throws(SealingKey.Fault) -> SealingKey? {
        if let path = configuration.credentialKeyFile {
            return FileManager.default.fileExists(atPath: path) ? try SealingKey(file: path, mayMake: true) : nil
        }
        guard let directory = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"],
            FileManager.default.fileExists(atPath: "\(directory)/credential-key")
        else { return nil }
        return try SealingKey(file: "\(directory)/credential-key", mayMake: false)
    }

    private static func key(at path: String, flag: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 64 << 10 else {
            throw ConfigurationError("\(flag) \(path) cannot be read")
        }
        let key = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw ConfigurationError("\(flag) \(path) must hold the key alone, on one line")
        }
        return key
    }
}
