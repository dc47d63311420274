import ArgumentParser
import Foundation

struct Wrap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a program on this terminal, and show it to a server.",
        discussion: """
            The program is used as if it ran alone; the server sees what it shows, and what Claude Code asks can be \
            approved there. This device must be enrolled ('rookery device enrol'). Without the server the program goes \
            on; what it shows is made up for when the server is back. The exit status is the program's.
            """)
    @Option(help: "The file that 'rookery device enrol' wrote.") var deviceFile: String?
    @Argument(parsing: .postTerminator, help: "The program and its arguments, after '--'.") var program: [String]

    func run() async throws {
        guard !program.isEmpty else { throw ValidationError("name a program: rookery wrap -- claude") }
        try LocalTerminal.require()
        let device = try DeviceFile.read(at: deviceFile ?? DeviceFile.path())
        guard let address = ServerAddress(parsing: device.server) else {
            throw Failure.usage("the device's file names no server: enrol this device again")
        }
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
}
