import Dialects
import Foundation
import NIOCore
import Registry
import SessionCore
import WorkerControl

/// One client of a foreign protocol, whatever the protocol: told to go when what let it in is taken back, pinged, and
/// closed when it does not keep up.
struct DialectConnection: Sendable {
    /// How long a client may say nothing: for ever, as long as it answers pings.
    private static let patience = TimeAmount.hours(24 * 365)
    private static let ping = Duration.seconds(30)

    let client: DoorwayClient
    let authenticator: Authenticator
    let principal: Principal

    /// - Parameter largest: bytes of one message.
    init(
        _ upgrade: PendingUpgrade, _ authenticator: Authenticator, _ principal: Principal,
        largest: Int = FirstMessageReader.largest
    ) async throws {
        client = try await DoorwayClient(upgrade, largest: largest)
        self.authenticator = authenticator
        self.principal = principal
    }

    /// For a client that was received already.
    init(_ client: DoorwayClient, _ authenticator: Authenticator, _ principal: Principal) {
        self.client = client
        self.authenticator = authenticator
        self.principal = principal
    }

    func send(_ message: JSONValue) async throws { try await client.send(message.text) }

    /// The connection is closed at once, whatever was not sent yet.
    func drop() { client.channel.close(promise: nil) }

    /// Runs until the client leaves: gives each of its messages to `take`, with the caller's rights as they are then.
    func run(_ take: @Sendable (Doorway.Message, Principal) async throws -> Void) async {
        let ticket = authenticator.streams.open(for: principal) {
            Task { await client.close(RevokedClose.code, Self.takenBack) }
        }
        let pinging = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.ping)
                try await client.ping()
            }
        }
        do {
            while true {
                let message = try await client.next(within: Self.patience)
                guard let principal = try await authenticator.current(principal) else {
                    await client.close(RevokedClose.code, Self.takenBack)
                    break
                }
                try await take(message, principal)
            }
        } catch {
            // Gone, or told to go.
            drop()
        }
        pinging.cancel()
        if let ticket { authenticator.streams.close(ticket) }
    }

    private static let takenBack = "what you were let in by was taken back"
}
