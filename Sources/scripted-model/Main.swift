import ArgumentParser
import Foundation
import Logging
import ScriptedModel
import ServiceLifecycle
import UnixSignals

@main
struct ScriptedModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scripted-model",
        abstract: "An offline model API, driven by keywords in the prompt.",
        discussion: """
            Speaks the Messages API (streaming and not) without a network or a key. The last thing the person typed \
            decides the answer: SAY text, BASH command, WRITE path text, READ path, TOOL name json, LOOP n, PAR n, \
            LONG n, DRIP n seconds, SLOW seconds, THINK text, RECALL, ERR status [count], MIDERR, CUT, HANG. \
            Without a keyword it echoes.
            """)

    @Option(name: [.long, .customShort("b")], help: "Address to listen on: host:port, or unix:/path.")
    var bind = "127.0.0.1:0"

    @Option(help: "File to append one JSON line a request to.")
    var log: String?

    @Option(help: "Take only access tokens that POST /oauth/token gave; this is the first refresh token.")
    var refreshToken: String?

    @Option(help: "Messages until an access token has expired.")
    var tokenLasts = 3

    func validate() throws {
        guard ListenAddress(parsing: bind) != nil else {
            throw ValidationError("'\(bind)' is not an address: write host:port or unix:/path")
        }
    }

    func run() async throws {
        guard let address = ListenAddress(parsing: bind) else { return }
        var logger = Logger(label: "scripted-model") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let server = ScriptedModelServer(
            address: address, log: try log.map { try RequestLog(path: $0) },
            desk: refreshToken.map { TokenDesk(refreshToken: $0, lasts: tokenLasts) }, logger: logger)
        let application = server.application { url in
            print("scripted-model listening on \(url)")
            fflush(nil)
        }
        var configuration = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // A DRIP or HANG may last for hours; nobody waits for it.
        configuration.maximumGracefulShutdownDuration = .milliseconds(500)
        try await ServiceGroup(configuration: configuration).run()
    }
}
