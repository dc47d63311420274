import Dialects
import Hummingbird

/// One reader of claude-remote's `/events`.
struct ClaudeRemoteEventStream: Sendable {
    let hub: ClaudeRemoteHub
    let since: UInt64?
    let call: Call
    let authenticator: Authenticator

    func write(to writer: inout any ResponseBodyWriter) async throws {
        let principal = try call.authenticated()
        let (number, events) = await hub.read(since: since, as: principal)
        let stream = DialectEventStream(
            channel: call.context.channel, principal: principal, authenticator: authenticator)
        try? await stream.write(
            opening: [], events.map { $0.event.frame(id: $0.number) }, to: &writer)
        await hub.stopReading(number)
    }
}
