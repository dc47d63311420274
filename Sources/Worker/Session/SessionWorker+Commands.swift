import SessionCore
import WorkerControl

extension SessionWorker {
    /// One command, from a client of whatever kind; `answer` is called once.
    func take(_ command: SessionCommand, from origin: CommandOrigin, answer: @escaping (CommandOutcome) -> Void) {
        guard origin.mayGive(command) else {
            return answer(.failed(CommandFailure("not_allowed", "your access does not allow this")))
        }
        answer(.failed(CommandFailure("not_structured", "a terminal session does not take this command")))
    }
}
