import Dialects
import Registry
import SessionCore

/// What the clients of each foreign protocol share.
struct DialectHubs: Sendable {
    let claudeSocket: ClaudeSocketHub
    let companion: CompanionHub
    let agents: ConversationFeeds<AgentAPIConversation>
    let commands: ConversationFeeds<EchokitResponses>
    /// nil where no remote sessions are taken.
    let remote: ClaudeRemoteHub?
    /// Structured sessions that dial in.
    let streams: RemoteStreams
    let pairings = PairingCodes()

    init(
        sessions: any SessionService, authenticator: Authenticator, remote: SessionRegistry?,
        streams: RemoteStreams
    ) {
        claudeSocket = ClaudeSocketHub(sessions: sessions, authenticator: authenticator)
        companion = CompanionHub(sessions: sessions, authenticator: authenticator)
        agents = ConversationFeeds(sessions: sessions) { _ in AgentAPIConversation() }
        commands = ConversationFeeds(sessions: sessions) { EchokitResponses($0) }
        self.streams = streams
        self.remote = remote.map { ClaudeRemoteHub(registry: $0, sessions: sessions) }
    }
}
