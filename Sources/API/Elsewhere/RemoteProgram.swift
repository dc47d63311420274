/// What a client of `/ws/cli/{id}` takes.
protocol RemoteProgram: Sendable {
    func give(_ line: String, request: String, by: String) async throws
    /// Its session goes on on another connection, or is over.
    func leave(_ reason: String) async
    /// It is asked to end the program.
    func end() async
}
