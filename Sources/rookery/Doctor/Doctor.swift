import ArgumentParser
import Foundation
import NIOHTTP1
import Sandbox
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

    @Option(help: "The runtime directory to look at.") var runtimeDir: String?
    @Option(help: "The directory of images to look at.") var images: String?
    @Flag(help: "The same as --output json.") var json = false

    func run() async throws {
        let findings = await findings()
        if json || options.output == .json {
            try printJSON(["findings": .array(findings.map(\.document))])
        } else {
            printTable(findings)
        }
        if findings.contains(where: { $0.status == .fail }) { throw ExitCode(1) }
    }

    private func findings() async -> [Finding] {
        let environment = ProcessInfo.processInfo.environment
        let installation = Installation.current()
        let asRoot = geteuid() == 0
        let directories = DefaultDirectories(environment: environment)
        let state = stateDir ?? environment["ROOKERY_STATE_DIR"] ?? directories.state
        let runtime = runtimeDir ?? environment["ROOKERY_RUNTIME_DIR"] ?? directories.runtime
        let claude = claudeBinary ?? environment["ROOKERY_CLAUDE_BINARY"] ?? installation.claude(environment)

        var findings = KernelChecks.all() + FileSystemChecks.all(asRoot: asRoot) + CgroupChecks.all()
        findings += MemoryChecks.all() + [ClockCheck.finding()]
        findings.append(ClaudeCheck.finding(claude))
        findings += InstallationChecks.programs(installation, asRoot: asRoot, serviceUser: serviceUser)
        findings.append(
            asRoot ? InstallationChecks.serviceUser(serviceUser) : SubordinateIDCheck.finding(SubordinateIDs.lookUp()))
        findings.append(ImagesCheck.finding(images ?? environment["ROOKERY_IMAGES"] ?? state + "/images"))
        findings += StateChecks.all(state, serviceUser: asRoot ? serviceUser : nil)
        findings.append(DiskQuotaCheck.finding(near: state, asRoot: asRoot))
        if asRoot { findings.append(IdmapCheck.finding(near: state)) }
        findings.append(SocketChecks.runtime(runtime))
        let server = await server()
        findings.append(SocketChecks.port(3000, served: server.status == .ok))
        findings.append(server)
        findings += SandboxSelfTest(installation: installation).run()
        return findings
    }

    private func printTable(_ findings: [Finding]) {
        let width = findings.map(\.name.count).max() ?? 0
        for finding in findings {
            let status = finding.status.rawValue.padding(toLength: 4, withPad: " ", startingAt: 0)
            let name = finding.name.padding(toLength: width, withPad: " ", startingAt: 0)
            print("\(status)  \(name)  \(printable(finding.detail))")
            if let remedy = finding.remedy { print("      \(name.map { _ in " " }.joined())  → \(remedy)") }
        }
        let counts = [Finding.Status.ok, .warn, .fail].map { status in
            "\(findings.count { $0.status == status }) \(status.rawValue)"
        }
        print(counts.joined(separator: ", "))
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
