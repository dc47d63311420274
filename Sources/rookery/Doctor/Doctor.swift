import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at what this machine can and cannot enforce, and what is missing.",
        discussion: "Looks as the user who runs it: what root can do, an ordinary user may not. Exit status 1 when "
            + "something fails.")
    @OptionGroup var options: ClientOptions
    @Option(help: "The state directory to look at.") var stateDir: String?
    @Option(help: "The Claude Code binary to look at.") var claudeBinary: String?
    @Option(help: "The user a server started by root becomes.") var serviceUser = "rookery"

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let installation = Installation.current()
        let asRoot = geteuid() == 0
        let state = stateDir ?? environment["ROOKERY_STATE_DIR"] ?? DefaultDirectories(environment: environment).state
        let claude = claudeBinary ?? environment["ROOKERY_CLAUDE_BINARY"] ?? installation.claude(environment)

        var findings = KernelChecks.all()
        findings += CgroupChecks.all()
        findings.append(ClaudeCheck.finding(claude))
        findings += InstallationChecks.programs(installation, asRoot: asRoot, serviceUser: serviceUser)
        if asRoot { findings.append(InstallationChecks.serviceUser(serviceUser)) }
        findings += StateChecks.all(state, serviceUser: asRoot ? serviceUser : nil)
        if asRoot { findings.append(IdmapCheck.finding(near: state)) }
        findings.append(await server())

        if options.output == .json {
            try printJSON(["findings": .array(findings.map(\.document))])
        } else {
            let width = findings.map(\.name.count).max() ?? 0
            for finding in findings {
                let status = finding.status.rawValue.padding(toLength: 4, withPad: " ", startingAt: 0)
                let name = finding.name.padding(toLength: width, withPad: " ", startingAt: 0)
                print("\(status)  \(name)  \(printable(finding.detail))")
                if let remedy = finding.remedy { print("      \(name.map { _ in " " }.joined())  → \(remedy)") }
            }
        }
        if findings.contains(where: { $0.status == .fail }) { throw ExitCode(1) }
    }

    private func server() async -> Finding {
        let name = "server"
        do {
            let client = try options.client()
            try await client.send(.GET, "/healthz")
            let readiness = try? await client.send(.GET, "/readyz")
            guard readiness?["ready"]?.bool == true else {
                return .warn(
                    name, "\(client.address) answers but is not ready",
                    "curl \(client.address)/readyz says what is missing")
            }
            return .ok(name, "\(client.address) is ready")
        } catch {
            let remedy = "start it with 'rookery serve', or name another with --server"
            return .warn(name, "\(error)".split(separator: ";").first.map(String.init) ?? "\(error)", remedy)
        }
    }
}
