import NIOCore
import SessionCore
import WorkerControl

/// Rights that changed of late. A client may be on its way here with what the supervisor knew a moment before.
struct CredentialChanges {
    /// Longer than any client is on its way.
    private static let memory = TimeAmount.seconds(60)
    private static let most = 1024

    private var changes: [CredentialName: (access: ClientAccess?, until: NIODeadline)] = [:]

    mutating func note(_ change: CredentialChange, at now: NIODeadline) {
        if changes.count >= Self.most { changes = changes.filter { $0.value.until > now } }
        if changes.count >= Self.most, let oldest = changes.min(by: { $0.value.until < $1.value.until }) {
            changes[oldest.key] = nil
        }
        changes[change.name] = (change.access, now + Self.memory)
    }

    /// What the client may do by the changes alone: nil, they do not concern it; `.some(nil)`, nothing.
    func access(of client: RelayedClient, at now: NIODeadline) -> ClientAccess?? {
        var found: ClientAccess??
        for name in client.credential?.names ?? [] {
            guard let change = changes[name], change.until > now else { continue }
            guard let access = change.access else { return .some(nil) }
            found = access
        }
        return found
    }
}
