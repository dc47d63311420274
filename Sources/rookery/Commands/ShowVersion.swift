import ArgumentParser

struct ShowVersion: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { print("rookery \(Version.current) (for Claude Code \(Version.claude))") }
}
