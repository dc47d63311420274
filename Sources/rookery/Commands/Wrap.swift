import ArgumentParser
import Foundation
import SessionCore

struct Wrap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a program on this terminal, and show it to a server.",
        discussion: """
            The program is used as if it ran alone; the server sees what it shows, and what Claude Code asks can be \
            approved there. This device must be enrolled ('rookery device enrol'). Without the server the program goes \
            on; what it shows is made up for when the server is back. The exit status is the program's.

            With --structured the program is Claude Code on its standard streams ('claude'; what it needs for that is \
            added), between whatever gives us lines and the server: both see all, both may say something and answer.
            """)
    @Flag(help: "Speak stream-json on the standard streams, without a terminal.") var structured = false
    @Option(help: "With --structured: seconds that the program's end waits for the server to hear of it.")
    var patience = 10
    @Option(help: "The file that 'rookery device enrol' wrote.") var deviceFile: String?
    @Argument(parsing: .postTerminator, help: "The program and its arguments, after '--'.") var program: [String]

    func run() async throws {
        guard !program.isEmpty else { throw ValidationError("name a program: rookery wrap -- claude") }
        guard (0...3600).contains(patience) else { throw ValidationError("--patience is 0 to 3600 seconds") }
        if !structured { try LocalTerminal.require() }
        let device = try DeviceFile.read(at: deviceFile ?? DeviceFile.path())
        guard let address = ServerAddress(parsing: device.server) else {
            throw Failure.usage("the device's file names no server: enrol this device again")
        }
        if structured { throw ExitCode(try await structured(device, address)) }
        let size = LocalTerminal.size
        let connection = WrapConnection(
            device: device, client: ServerClient(address: address, token: nil),
            directory: FileManager.default.currentDirectoryPath, command: program.joined(separator: " "))
        let running = try LocalProgram(program, size: size)
        let terminal = try LocalTerminal()
        let loop = WrapLoop(running, connection, size: size)
        let status = await loop.run()
        terminal.restore()
        if let refusal = loop.refusal { printError("rookery: \(refusal)") }
        throw ExitCode(status)
    }

    /// - Returns: the program's exit status.
    private func structured(_ device: DeviceFile, _ address: ServerAddress) async throws -> Int32 {
        let session = Self.session(of: program) ?? UUID().uuidString.lowercased()
        let running = try PipedProgram(
            RemoteRequest.arguments(program, session: session),
            environment: ProcessInfo.processInfo.environment.merging(RemoteRequest.environment) { _, fixed in fixed })
        let loop = StreamWrapLoop(
            running,
            StreamWrapConnection(
                device: device, client: ServerClient(address: address, token: nil), session: session,
                directory: FileManager.default.currentDirectoryPath),
            patience: .seconds(patience))
        printError("rookery: session \(session)")
        let status = await loop.run()
        if let refusal = loop.refusal { printError("rookery: \(refusal)") }
        return status
    }

    /// The id that the program is given, or goes on with.
    private static func session(of program: [String]) -> String? {
        for (option, value) in zip(program, program.dropFirst())
        where ["--session-id", "--resume", "-r"].contains(option) {
            return SessionID(parsing: value)?.description
        }
        return nil
    }
}
