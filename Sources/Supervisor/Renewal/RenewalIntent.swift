import Foundation

/// `<state>/renew-workers`: how workers of an older build are to make way, as an operator asked for it. It outlives the
/// supervisor, and goes when no such worker is left.
struct RenewalIntent {
    let path: String

    init(stateDirectory: String) { path = "\(stateDirectory)/renew-workers" }

    var value: WorkerRenewal? {
        (try? String(contentsOfFile: path, encoding: .utf8))
            .flatMap { WorkerRenewal(rawValue: $0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    func set(_ renewal: WorkerRenewal) throws {
        guard renewal != .never else { return clear() }
        try "\(renewal.rawValue)\n".write(toFile: path, atomically: true, encoding: .utf8)
    }

    func clear() { try? FileManager.default.removeItem(atPath: path) }
}
