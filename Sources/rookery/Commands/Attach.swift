import ArgumentParser

struct Attach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a session's terminal on this one; a parked session wakes.",
        discussion: """
            Ctrl-] or Ctrl-\\ detaches; the session goes on. Several may be attached: who types drives. The exit \
            status is 0 after a detach, else that of the session's command.
            """)
    @OptionGroup var options: ClientOptions
    @Flag(help: "Only look.") var view = false
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        try LocalTerminal.require()
        let client = try options.client()
        let id = try await client.sessionID(session)
        try await TerminalAttachment(client: client, session: id, mode: view ? .view : .drive).run()
    }
}
