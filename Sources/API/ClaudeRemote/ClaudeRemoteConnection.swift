import Dialects
import Foundation
import NIOCore
import Registry
import SessionCore
import WorkerControl

/// One CLI that shows a terminal of its own machine (seed-protocols 4).
actor ClaudeRemoteConnection {
    /// How long a CLI may take to say who it is.
    static let patience = TimeAmount.seconds(10)
    private static let ping = Duration.seconds(30)
    /// Two pings without a word.
    private static let silence = TimeAmount.seconds(75)

    private let hub: ClaudeRemoteHub
    private let client: DoorwayClient
    private var session: RemoteSessionRecord?
    private var device: DeviceRecord?

    init(_ hub: ClaudeRemoteHub, _ client: DoorwayClient) {
        self.hub = hub
        self.client = client
    }

    func send(_ message: ClaudeRemoteServerMessage) async throws { try await client.send(message.json.text) }

    /// The same session came back on another connection.
    func replace() async {
        session = nil
        await client.close(1000, "the session continues on another connection")
    }

    /// The device may not come back.
    func revoke() async {
        session = nil
        await client.close(RevokedClose.code, "the device was removed")
    }

    /// - Parameter first: an `auth` message, not looked at yet.
    func run(first: String) async {
        do {
            guard case .auth(let proof, let hello) = try ClaudeRemoteClientMessage(parsing: first) else { return }
            let device = try await hub.admit(proof)
            let session = try await hub.join(self, device, hello)
            (self.device, self.session) = (device, session)
            try await send(.welcome(session: session.id, received: await hub.received(session.id)))
        } catch let refusal as ClaudeRemoteGate.Refusal {
            // No words in JSON before it is known who listens.
            return await client.close(1008, refusal.reason)
        } catch let error as ClientMessageError {
            return await client.close(1008, error.description)
        } catch {
            return await client.close(1011, "the session cannot be made")
        }
        let pinging = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.ping)
                try await self?.send(.ping)
            }
        }
        do {
            while let session {
                let message = try await client.next(within: Self.silence)
                try await take(message, session)
            }
        } catch {
            client.channel.close(promise: nil)
        }
        pinging.cancel()
        if let session { await hub.left(self, session.id) }
    }

    private func take(_ message: Doorway.Message, _ session: RemoteSessionRecord) async throws {
        guard case .text(let text, _) = message else { return await client.close(1003, "messages are JSON text") }
        let message: ClaudeRemoteClientMessage
        do { message = try ClaudeRemoteClientMessage(parsing: text) } catch {
            return try await client.send(
                (["type": "error", "message": .string(error.description)] as JSONValue).text)
        }
        switch message {
        case .auth: break
        case .output(let text, let seq): await hub.output(session.id, text, seq: seq)
        case .promptClosed: await hub.promptsClosed(session.id)
        case .resize, .pong: break
        case .prompt(let prompt):
            if let device { _ = try await hub.prompt(session.id, prompt, device: device) }
        case .exit(let code):
            self.session = nil
            await hub.end(session.id, exitCode: code)
            await client.close(1000, "")
        }
    }
}
