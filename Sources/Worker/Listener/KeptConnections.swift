import NIOCore
import NIOPosix

/// Connections to the gateway that have answered, for the next requests: a turn asks again soon, and a session at rest
/// holds nothing.
final class KeptConnections {
    /// As many as a CLI asks at once.
    private static let most = 4
    private static let patience = TimeAmount.seconds(30)

    private struct Kept {
        var connection: GatewayConnection
        var expiry: Scheduled<Void>
    }

    private var kept: [Kept] = []

    /// - Returns: nil when none stands.
    func take() -> GatewayConnection? {
        while let last = kept.popLast() {
            last.expiry.cancel()
            if last.connection.channel.isActive { return last.connection }
        }
        return nil
    }

    /// Takes back one whose request is answered.
    func keep(_ connection: GatewayConnection, on loop: any EventLoop) {
        guard kept.count < Self.most, connection.channel.isActive else {
            return connection.channel.close(promise: nil)
        }
        let expiry = loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] () -> Void in
            self?.expire(connection)
        }
        kept.append(Kept(connection: connection, expiry: expiry))
    }

    private func expire(_ connection: GatewayConnection) {
        guard let index = kept.firstIndex(where: { $0.connection === connection }) else { return }
        kept.remove(at: index).connection.channel.close(promise: nil)
    }
}
