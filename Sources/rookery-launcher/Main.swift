import ArgumentParser

/// The privileged process: makes sandboxes for the supervisor, and for `rookery sandbox run`.
@main
struct RookeryLauncher: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rookery-launcher", abstract: "Starts sessions in their sandboxes.",
        subcommands: [Serve.self, Run.self])
}
