import CLinux
import Foundation
import Glibc
import Images
public import Policy
import Sandbox
import SessionCore
import WorkerControl

/// One command by hand in the sandbox that a session would get, on the caller's terminal or standard streams.
public struct SandboxRun: Sendable {
    public var policy: SessionPolicy
    /// nil: a temporary one.
    public var workspace: String?
    /// Shown inside as `claude`; nil: what the host has there.
    public var claudeBinary: String?
    /// Holds the built images.
    public var imagesDirectory: String
    public var rootless: Bool
    /// The command and its arguments, as one types them.
    public var command: [String]
    /// Holds `rookery-init`.
    public var libexecDirectory: String
    /// This process has a mount namespace of its own: then the command gets a disk of its own, as a session does.
    public var mountsArePrivate: Bool

    public init(
        policy: SessionPolicy, workspace: String?, claudeBinary: String?, imagesDirectory: String, rootless: Bool,
        command: [String], libexecDirectory: String, mountsArePrivate: Bool
    ) {
        self.policy = policy
        self.workspace = workspace
        self.claudeBinary = claudeBinary
        self.imagesDirectory = imagesDirectory
        self.rootless = rootless || geteuid() != 0
        self.command = command
        self.libexecDirectory = libexecDirectory
        self.mountsArePrivate = mountsArePrivate
    }

    /// Exit statuses that are not the command's (api-v1, "Command line"; as in shells).
    public enum Status {
        public static let setupFailed: Int32 = 125
        public static let notExecutable: Int32 = 126
        public static let notFound: Int32 = 127
    }

    /// Runs the command to its end and returns the exit status: its own, 128 + N when signal N ended it.
    /// - Throws: when it could not be started; ``status(of:)`` says which exit status that is.
    public func run() throws(LaunchFailure) -> Int32 {
        try withSandbox { specification, limits throws(LaunchFailure) in
            _ = try limits.met()
            let terminal = CallerTerminal.current()
            var specification = specification
            var relay: StreamRelay?
            if let terminal {
                (specification.columns, specification.rows) = terminal.size
            } else {
                let streams = try StreamRelay()
                specification.streams = streams.inside
                relay = streams
            }
            let sandbox: StartedSandbox
            do throws(SandboxError) {
                sandbox = try specification.start()
                specification.streams = nil
                relay?.closeInside()
                try sandbox.go()
            } catch { throw LaunchFailure(error) }
            answerViolations(of: sandbox)
            OutOfMemory.protect(sandbox.process.pid, .sandboxInit)
            let signals = SignalRelay(to: sandbox)
            defer { signals.stop() }
            if let terminal {
                try terminal.relay(sandbox)
            } else {
                relay?.start()
                _ = try? sandbox.process.waitForExit()
                relay?.finish()
            }
            return Self.exitStatus(of: sandbox)
        }
    }

    /// What ``run()`` would do, for a person to read.
    public func explanation() throws(LaunchFailure) -> String {
        try withSandbox { specification, limits throws(LaunchFailure) in
            var text = "policy \(policy.name), \(rootless ? "rootless" : "root") mode\n"
            for limit in limits.report {
                text +=
                    "limit \(limit.name): asked \(limit.asked), enforced \(limit.enforced ?? "not at all") by \(limit.by)"
                text += (limit.note.map { " (\($0))" } ?? "") + "\n"
            }
            do throws(SandboxError) {
                return text + (try specification.explanation())
            } catch { throw LaunchFailure(error) }
        }
    }

    public static func status(of failure: LaunchFailure) -> Int32 {
        guard failure.step.hasPrefix("exec") else { return Status.setupFailed }
        return failure.errno == ENOENT || failure.errno == ENOTDIR ? Status.notFound : Status.notExecutable
    }

    private static func exitStatus(of sandbox: StartedSandbox) -> Int32 {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(sandbox.status.number, &buffer, buffer.count)
        let words = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let value = Int32(words[1]) else {
            // rookery-init was killed from outside, and the command with it.
            return 128 + SIGKILL
        }
        return words[0] == "code" ? value : 128 + value
    }

    /// By hand there is nobody to tell: the calls are refused, and that is all.
    private func answerViolations(of sandbox: StartedSandbox) {
        let socket = dup(sandbox.violations.number)
        guard socket >= 0 else { return }
        ViolationResponder(socket: socket, names: SeccompProfile.counted(policy.sandbox.seccomp)) { _ in }.start()
    }

    // MARK: What the sandbox needs, for as long as the body runs

    private func withSandbox<Result>(
        _ body: (SandboxSpecification, LaunchLimits) throws(LaunchFailure) -> Result
    ) throws(LaunchFailure) -> Result {
        let image = try mountedImage()
        let arguments = try CommandLookup(image: image).resolve(command.isEmpty ? ["/bin/sh"] : command)
        // Slots count up from 0 for sessions; commands by hand take them from the other end.
        let slot = UIDRange.slots.upperBound - 1 - Int(getpid() % 1024)
        let range = rootless ? nil : UIDRange(slot: slot)
        var scratch = try RunScratch(
            range: range, limits: policy.sandbox.limits, mountsArePrivate: mountsArePrivate)
        defer { scratch.remove() }

        let cgroups = CgroupParent(.claim(), stateDirectory: "rookery sandbox run")
        let leaf: CgroupLeaf
        let cgroupLimits: [EnforcedLimit]
        do {
            (leaf, cgroupLimits) = try cgroups.makeLeaf(SessionID().description, limits: policy.sandbox.limits)
        } catch { throw LaunchFailure(error) }
        defer {
            try? leaf.end()
            cgroups.removeIfEmpty()
        }

        var specification = SandboxSpecification(
            identity: range.map { .range(base: $0.base) } ?? .caller,
            initProgram: "\(libexecDirectory)/rookery-init", workspace: scratch.workspace, home: scratch.home,
            startCommand: "/bin/sh", claudeBinary: claudeBinary, rules: policy.sandbox)
        if let workspace {
            let given = try CallerWorkspace(workspace, rootless: rootless)
            specification.workspace = given.path
            specification.workspaceOwner = given.owner
        }
        specification.image = image
        if policy.sandbox.system == .overlay { specification.overlay = scratch.overlay }
        specification.arguments = arguments
        specification.environment = environment
        do {
            specification.cgroup = try leaf.entrance()
        } catch { throw LaunchFailure(error) }
        specification.whenBorn = { pid throws(SandboxError) in OutOfMemory.protect(pid, .session) }
        return try body(specification, limits(cgroupLimits, disk: scratch.limits))
    }

    /// A workspace that the caller names is the caller's, on the caller's disk: what a policy requires of the disk is for
    /// the temporary one.
    private func limits(_ cgroup: [EnforcedLimit], disk: [EnforcedLimit]) -> LaunchLimits {
        var rules = policy.sandbox
        guard workspace != nil else { return LaunchLimits(rules, cgroup: cgroup, inside: nil, disk: disk) }
        rules.required.subtract(["disk", "inodes", "unwritten"])
        var disk = disk
        for index in disk.indices where disk[index].enforced != nil {
            disk[index].note = "of the home; the workspace is the caller's own"
        }
        return LaunchLimits(rules, cgroup: cgroup, inside: nil, disk: disk)
    }

    private func mountedImage() throws(LaunchFailure) -> BuiltImage? {
        let name = policy.sandbox.image
        guard name != SessionPolicy.hostImage else { return nil }
        if let problem = ImageName.problem(with: name) { throw LaunchFailure(problem) }
        guard !rootless else { throw SessionImage.rootlessFailure(name) }
        return try ImageMounts(ImageStore(directory: imagesDirectory)).mount(name, earlier: nil).image
    }

    private var environment: [String: String] {
        var environment = [
            "PATH": CommandLookup.path, "HOME": SandboxLayout.home, "USER": "agent", "LOGNAME": "agent",
            "SHELL": "/bin/bash", "LANG": "C.UTF-8",
        ]
        if let term = ProcessInfo.processInfo.environment["TERM"], EnvironmentRules.isValue(term) {
            environment["TERM"] = term
        }
        return environment.merging(policy.environment) { _, policys in policys }
    }
}
