import CLinux
import Foundation
import Glibc
import Sandbox
import WorkerControl

/// Starts a session's worker with its descriptors and waits until its sockets listen.
struct WorkerStart {
    let configuration: LauncherConfiguration
    let checked: CheckedLaunch
    let directories: PreparedDirectories
    let sandbox: StartedSandbox
    let home: OwnedDescriptor
    let workspace: OwnedDescriptor
    /// nil: the session cannot be frozen.
    let freezer: CgroupFreezer?
    /// nil: the session's command has its terminal.
    var streams: SessionStreams?

    /// How long a worker may take to be ready, in milliseconds.
    static let patience: Int32 = 10_000

    /// Returns the process and the read end of its ready pipe.
    func spawn() throws(LaunchFailure) -> (worker: ChildProcess, ready: OwnedDescriptor) {
        let owner = configuration.fileOwner
        let log = try WorkerLog.open(in: directories.session, uid: owner.uid, gid: owner.gid)
        do {
            let ready = try DescriptorMessages.pipe()
            // Descriptor 3 is the configuration; the others follow in this order.
            var passed: [OwnedDescriptor] = []
            func pass(_ descriptor: OwnedDescriptor) -> Int32 {
                passed.append(descriptor)
                return WorkerDescriptors.configuration + Int32(passed.count)
            }
            var numbers = WorkerDescriptors(
                terminal: pass(sandbox.terminal), listener: sandbox.listener.map(pass), leash: pass(sandbox.leash),
                status: pass(sandbox.status), sandbox: pass(sandbox.process.pidfd), home: pass(home),
                ready: pass(ready.write), violations: pass(sandbox.violations))
            if let streams {
                numbers.streams = StreamDescriptors(
                    input: pass(streams.input.write), output: pass(streams.output.read),
                    error: pass(streams.error.read),
                    held: [streams.input.read, streams.output.write, streams.error.write].map(pass))
            }
            if let freezer {
                numbers.freezer = FreezerDescriptor(
                    number: pass(try freezer.open()), freeze: freezer.freeze, thaw: freezer.thaw)
            }
            numbers.workspace = pass(workspace)
            numbers.journal = pass(directories.journal.descriptor)
            let memory = try DescriptorMessages.sealedMemory(
                named: "worker-configuration", try Self.encoded(configuration(numbers)))
            var spawn = Spawn(
                program: try Spawn.open(program: configuration.workerProgram),
                arguments: ["rookery-worker", "\(checked.request.sessionID)"],
                environment: [
                    "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC",
                    // A crashed worker must end at once, not stop to print its stack: its sandbox hangs on it.
                    "SWIFT_BACKTRACE=enable=no",
                ], descriptors: [memory] + passed)
            spawn.standardOutput = log
            spawn.standardError = log
            spawn.directory = try Directory(at: "/").descriptor
            if !configuration.rootless {
                spawn.user = (configuration.serviceUID, configuration.serviceGID)
                spawn.shedsPrivileges = true
            }
            do {
                let worker = try spawn.start()
                OutOfMemory.protect(worker.pid, .worker)
                // A neighbour that burns the processor must not delay this one's keystrokes; one that floods its own worker
                // has that give way. Best effort: it still runs without.
                _ = rk_prefer_latency(worker.pid)
                _ = rk_let_give_way(worker.pid)
                return (worker, ready.read)
            } catch {
                throw LaunchFailure(
                    step: "worker", errno: error.errno,
                    message: "cannot start \(configuration.workerProgram): \(error)",
                    remedy: "install rookery-worker next to rookery-init, executable by uid \(owner.uid)")
            }
        } catch let failure as LaunchFailure {
            throw failure
        } catch let fault as CgroupFault {
            throw LaunchFailure(fault)
        } catch {
            let error = error as? SystemError ?? SystemError(call: "\(error)", errno: EINVAL)
            throw LaunchFailure(
                step: "worker", errno: error.errno, message: "cannot start \(configuration.workerProgram): \(error)",
                remedy: error.errno == ENOENT ? "install rookery-worker next to rookery-init" : "see the box's limits")
        }
    }

    /// Waits for `ready`. A worker that says something else, ends or stays silent has failed.
    func waitUntilReady(_ worker: ChildProcess, _ ready: OwnedDescriptor) throws(LaunchFailure) {
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.patience))
        var line: [UInt8] = []
        while !line.contains(UInt8(ascii: "\n")), line.count < 1024 {
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else { throw failed(ETIMEDOUT, "was not ready after \(Self.patience / 1000) s") }
            let state = rk_wait_readable(ready.number, Int32(left) + 1)
            guard state > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 1024)
            let count = read(ready.number, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            line.append(contentsOf: buffer[..<count])
        }
        let text = String(decoding: line.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        if text == "ready" { return }
        if let damage = JournalDamage(line: text) { throw damage.failure(directories.journal.path) }
        guard text.isEmpty else { throw failed(0, "said: \(text)") }
        // The pipe closed: give the end a moment to be seen, for a better message.
        switch try? worker.waitForExit(milliseconds: 1000) {
        case .code(let code): throw failed(0, "ended with code \(code) before it was ready")
        case .signal(let number): throw failed(0, "was ended by signal \(number) before it was ready")
        case nil: throw failed(0, "closed its ready pipe without a word")
        }
    }

    private func failed(_ code: Int32, _ what: String) -> LaunchFailure {
        let tail = WorkerLog.tail(in: directories.session)
        return LaunchFailure(
            step: "worker", errno: code,
            message: "rookery-worker \(what)" + (tail.isEmpty ? "" : "; its log ends: \(tail)"),
            remedy: "see \(directories.session.path)/\(WorkerLog.name), and that rookery-worker is of this release")
    }

    private func configuration(_ numbers: WorkerDescriptors) -> WorkerConfiguration {
        let request = checked.request
        var configuration = WorkerConfiguration(
            sessionID: request.sessionID, incarnation: request.incarnation,
            runtimeDirectory: directories.runtime.path, size: request.size, firstSequence: request.firstSequence,
            gatewaySocket: request.gatewaySocket, logBytes: request.logBytes, journal: request.journal,
            descriptors: numbers,
            countedCalls: SeccompProfile.counted(request.rules.seccomp), confined: self.configuration.confinesWorkers)
        configuration.commands = request.commands
        configuration.offersChannel = request.offersChannel
        configuration.egressSocket = request.egressSocket
        configuration.isSpare = request.isSpare
        return configuration
    }

    private static func encoded(_ value: some Encodable) throws -> [UInt8] { [UInt8](try JSONEncoder().encode(value)) }
}
