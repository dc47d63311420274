import Dialects
import Hummingbird

/// One reader of agentapi's `/events`: all messages, the status and past errors at once, then what happens.
struct AgentAPIEventStream: Sendable {
    let feed: ConversationFeed<AgentAPIConversation>
    let call: Call
    let authenticator: Authenticator

    func write(to writer: inout any ResponseBodyWriter) async throws {
        let channel = call.context.channel
        let (opening, attachment) = await feed.attach(fellBehind: { channel.close(promise: nil) }) { $0.opening }
        let stream = DialectEventStream(
            channel: channel, principal: try call.authenticated(), authenticator: authenticator)
        try? await stream.write(
            opening: opening.map(\.frame), attachment.messages.map { $0.frame }, to: &writer)
        await feed.detach(attachment.number)
    }
}
