import Dialects
import Registry
import SessionCore
import Supervisor

/// What foreign clients ask of a session, in the words of the control plane, whatever the session speaks.
extension SessionService {
    /// Says something to a session; a parked one wakes.
    func prompt(
        _ id: SessionID, _ text: String, images: [PromptImage] = [], clientID: String?, channel: ChannelOrigin? = nil,
        by principal: Principal
    ) async throws {
        try await order(
            id, .prompt(text: text, images: images, clientID: clientID, channel: channel), by: principal)
    }

    /// Gives a command, and its outcome as it is: a program that did not do it is an error, with its words.
    @discardableResult
    func order(_ id: SessionID, _ command: SessionCommand, by principal: Principal) async throws -> JSONValue {
        switch try await self.command(id, command, by: principal) {
        case .done(let data): return data
        case .failed(let failure): throw Problem(failure)
        }
    }
}
