import Foundation
import Registry
import Synchronization
import WorkerControl

/// Event streams that are open, by what their readers were let in by, so that they end with it.
final class OpenStreams: Sendable {
    private struct Stream {
        var names: Set<CredentialName>
        var expiry: Task<Void, Never>?
        var end: @Sendable () -> Void
    }

    private let streams = Mutex<(next: Int, open: [Int: Stream])>((0, [:]))

    /// - Parameter end: called when the credential is taken back or expires; perhaps at once.
    /// - Returns: a number for ``close(_:)``; nil for a caller that nothing can be taken back from.
    func open(for principal: Principal, end: @escaping @Sendable () -> Void) -> Int? {
        guard let credential = ClientCredential(principal) else { return nil }
        let expiry = credential.expires.map { expires in
            Task {
                try? await Task.sleep(for: .seconds(max(0, expires.timeIntervalSinceNow)))
                if !Task.isCancelled { end() }
            }
        }
        return streams.withLock { streams in
            streams.next += 1
            streams.open[streams.next] = Stream(names: credential.names, expiry: expiry, end: end)
            return streams.next
        }
    }

    func close(_ number: Int) {
        streams.withLock { $0.open.removeValue(forKey: number) }?.expiry?.cancel()
    }

    /// Ends every stream of a credential; whoever may still read opens another.
    func end(_ name: CredentialName) {
        let ended = streams.withLock { streams in streams.open.values.filter { $0.names.contains(name) } }
        for stream in ended { stream.end() }
    }
}
