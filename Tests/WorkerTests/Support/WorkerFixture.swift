import CLinux
import Foundation
import Glibc
import NIOCore
import NIOPosix
import SessionCore
import Synchronization
import WorkerControl

/// A real `rookery-worker` with a real terminal. In place of the sandbox: a program on the terminal, and a
/// stand-in for rookery-init that obeys the leash, writes the status and whose pidfd the worker has.
final class WorkerFixture: Sendable {
    let folder: String
    let sessionID: SessionID
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let worker: ChildProcess
    let command: ChildProcess
    /// Where the sandbox's listener is reached.
    let listenerPort: Int
    let home: String
    let gatewaySocket: String
    let egressSocket: String
    private let workerEnd: Task<Int32, Never>
    private let initEnd: Task<Void, Never>

    static let worker = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("rookery-worker").path

    /// The command speaks on its standard streams: a structured session.
    struct Streams: Sendable {
        var offersChannel = false
        /// Beside what every command has, which is its `HOME`; a structured one's also has `WORKER` and `PORT`.
        var environment: [String: String] = [:]
    }

    /// What outlives a worker: the session's home and its journal.
    struct Kept: Sendable {
        var session = SessionID()
        var incarnation = 1
        var home: String
        var journal: String
    }

    /// Runs the body with a worker, and takes everything down after it.
    static func with(
        _ command: [String], firstSequence: UInt64 = 1, logBytes: Int = 1 << 20, kept: Kept? = nil,
        streams: Streams? = nil, _ body: (WorkerFixture) async throws -> Void
    ) async throws {
        let fixture = try await WorkerFixture(
            command, firstSequence: firstSequence, logBytes: logBytes, kept: kept, streams: streams)
        do {
            try await body(fixture)
        } catch {
            let log = fixture.log
            await fixture.shutDown()
            throw TimedOut(description: "\(error)\nthe worker's log:\n\(log)")
        }
        await fixture.shutDown()
    }

    private init(
        _ program: [String], firstSequence: UInt64, logBytes: Int, kept: Kept?, streams: Streams?
    ) async throws {
        folder = "/tmp/rkw-\(UInt32.random(in: 0 ... .max))"
        sessionID = kept?.session ?? SessionID()
        home = kept?.home ?? folder + "/home"
        gatewaySocket = folder + "/gateway.sock"
        egressSocket = folder + "/egress.sock"
        for path in [folder, home, folder + "/run"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var lock: Int32 = 0
        var number: Int32 = -1
        guard ioctl(master, UInt(0x4004_5431), &lock) == 0, ioctl(master, UInt(0x8004_5430), &number) == 0 else {
            throw TimedOut(description: "no terminal: TIOCSPTLCK, TIOCGPTN: \(errno)")
        }
        let terminalPath = "/dev/pts/\(number)"
        _ = rk_terminal_set_size(master, 80, 24)
        // Held until the command has opened it.
        let slave = open(terminalPath, O_RDWR | O_NOCTTY | O_CLOEXEC)

        let listener = try Self.listen()
        listenerPort = listener.port
        let leash = try Self.pipe()
        let status = try Self.pipe()
        let ready = try Self.pipe()
        let initInput = try Self.pipe()

        // Stands for rookery-init: it ends when the fixture closes its standard input.
        let stand = try ChildProcess(["cat"], descriptors: [0: initInput.read])
        close(initInput.read)
        let pidfd = rk_pidfd_open(stand.pid)
        let homeDescriptor = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Stands for the file of a cgroup.
        let freezer = open(folder + "/freezer", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        var descriptors = WorkerDescriptors(
            terminal: 4, listener: 5, leash: 6, status: 7, sandbox: 8, home: 9, ready: 10)
        descriptors.freezer = FreezerDescriptor(number: 11, freeze: "1", thaw: "0")
        if kept != nil { descriptors.journal = 12 }
        let pipes = try streams == nil ? nil : (input: Self.pipe(), output: Self.pipe(), error: Self.pipe())
        if pipes != nil {
            descriptors.streams = StreamDescriptors(input: 13, output: 14, error: 15, held: [16, 17, 18])
        }
        let journal = open(kept?.journal ?? folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        var configuration = WorkerConfiguration(
            sessionID: sessionID, incarnation: kept?.incarnation ?? 1, runtimeDirectory: folder + "/run",
            size: .standard,
            firstSequence: firstSequence, gatewaySocket: gatewaySocket, logBytes: logBytes, descriptors: descriptors)
        configuration.egressSocket = egressSocket
        configuration.offersChannel = streams?.offersChannel
        let json = try JSONEncoder.rookery.encode(configuration)
        let memory = json.withUnsafeBytes { rk_sealed_memory("configuration", $0.baseAddress, $0.count) }
        let errors = open(folder + "/worker.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        var given: [Int32: Int32] = [
            2: errors, 3: memory, 4: master, 5: listener.socket, 6: leash.write, 7: status.read, 8: pidfd,
            9: homeDescriptor, 10: ready.write, 11: freezer, 12: journal,
        ]
        if let pipes {
            given.merge([
                13: pipes.input.write, 14: pipes.output.read, 15: pipes.error.read, 16: pipes.input.read,
                17: pipes.output.write, 18: pipes.error.write,
            ]) { $1 }
        }
        worker = try ChildProcess([Self.worker], descriptors: given, leads: true)
        for descriptor in [
            errors, memory, master, listener.socket, leash.write, status.read, pidfd, homeDescriptor, ready.write,
            freezer, journal,
        ] { close(descriptor) }
        workerEnd = Task { [worker] in await worker.wait() }

        let line = await Self.line(from: ready.read)
        close(ready.read)
        guard line == "ready\n" else {
            // One that says why ends by itself.
            if !line.hasPrefix("error: ") { worker.kill() }
            let end = await workerEnd.value
            stand.kill()
            try? FileManager.default.removeItem(atPath: folder)
            throw TimedOut(description: "the worker is not ready: '\(line)', and ended with \(end)")
        }
        if let pipes {
            let more = ["HOME": home, "WORKER": "\(worker.pid)", "PORT": "\(listenerPort)"]
            command = try ChildProcess(
                program, environment: more.merging(streams?.environment ?? [:]) { $1 },
                descriptors: [0: pipes.input.read, 1: pipes.output.write, 2: pipes.error.write], leads: true)
            for descriptor in [
                pipes.input.read, pipes.input.write, pipes.output.read, pipes.output.write, pipes.error.read,
                pipes.error.write,
            ] { close(descriptor) }
        } else {
            command = try ChildProcess(program, environment: ["HOME": home], terminal: terminalPath)
        }
        close(slave)

        let commandPID = command.pid
        Thread.detachNewThread {
            // The leash: a byte is a signal, its end is the end.
            var byte: UInt8 = 0
            while read(leash.read, &byte, 1) == 1 { _ = Glibc.kill(commandPID, Int32(byte)) }
            close(leash.read)
            _ = Glibc.kill(-commandPID, SIGKILL)
            _ = Glibc.kill(commandPID, SIGKILL)
        }
        initEnd = Task { [command] in
            let ended = await command.wait()
            let signal = ended & 0x7f
            let text = signal == 0 ? "code \((ended >> 8) & 0xff)\n" : "signal \(signal)\n"
            _ = write(status.write, text, text.utf8.count)
            close(status.write)
            close(initInput.write)
            _ = await stand.wait()
        }
    }

    var freezerFile: String { folder + "/freezer" }
    /// What was last written to the freezer.
    var frozen: String? { try? String(contentsOfFile: freezerFile, encoding: .utf8) }

    var controlSocket: String { folder + "/run/" + WorkerSockets.control }
    var clientSocket: String { folder + "/run/" + WorkerSockets.client }
    var handOverSocket: String { folder + "/run/" + WorkerSockets.handOver }
    /// What the worker has open.
    var openDescriptors: [String] {
        let folder = "/proc/\(worker.pid)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }.sorted()
    }
    var log: String { (try? String(contentsOfFile: folder + "/worker.log", encoding: .utf8)) ?? "" }

    func connect() async throws -> WorkerConnection {
        try await WorkerConnection.connect(to: controlSocket, on: group)
    }

    /// The worker's exit status, once it has ended.
    func workerExit() async -> Int32 { await workerEnd.value }

    /// Resident memory of the worker in bytes.
    func residentMemory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(worker.pid)/statm", encoding: .utf8)
        return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
    }

    private func shutDown() async {
        // A worker with nobody to tell its end to would wait for a supervisor.
        let supervisor = try? await connect()
        command.kill()
        await initEnd.value
        let limit = Task { [worker] in
            try await Task.sleep(for: .seconds(15))
            worker.kill()
        }
        _ = await workerEnd.value
        limit.cancel()
        await supervisor?.close()
        try? await group.shutdownGracefully()
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Descriptors

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var pair: [Int32] = [0, 0]
        guard rk_pipe(&pair) >= 0 else { throw TimedOut(description: "pipe") }
        return (pair[0], pair[1])
    }

    private static func listen() throws -> (socket: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Bool in
                bind(descriptor, pointer, length) == 0 && Glibc.listen(descriptor, 128) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard port else { throw TimedOut(description: "listen") }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func line(from descriptor: Int32) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var text: [UInt8] = []
                var byte: UInt8 = 0
                while read(descriptor, &byte, 1) == 1 { text.append(byte) }
                continuation.resume(returning: String(decoding: text, as: UTF8.self))
            }
        }
    }
}
