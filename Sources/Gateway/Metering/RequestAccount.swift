import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// With what requests are counted.
struct RequestMeter: Sendable {
    let ledger: any ModelRequestLedger
    let prices: PriceList
    let counters: GatewayCounters
}

/// Writes down what becomes of one request. Belongs to the one task that carries it.
///
/// What is used is durable before the client learns that the answer is complete; until then the bytes go on while it is
/// being written, so that no answer waits for a disk.
final class RequestAccount {
    private var record: ModelRequestRecord
    private let meter: RequestMeter
    private let loop: any EventLoop
    private let logger: Logger
    private var reading = ResponseMeter(contentType: nil, isMessage: false)
    /// What is being written; each waits for the one before.
    private var writing: Task<Bool, Never>?
    /// The last part of an answer that is no stream: held until its usage is written.
    private var last: ByteBuffer?
    private var holdsLast = false
    private var isSettled = false
    private var bodies: KeptBodies?

    /// What is written down while somebody waits for the next byte is begun a little later: it would wake threads that
    /// stand in the byte's way, and is done long before the model has said all.
    private static let courtesy = TimeAmount.milliseconds(1)

    /// - Parameter loop: the one that the request is carried on.
    init(_ record: ModelRequestRecord, model: String?, meter: RequestMeter, on loop: any EventLoop, logger: Logger) {
        self.record = record
        self.record.model = model
        self.meter = meter
        self.loop = loop
        self.logger = logger
    }

    /// Before upstream is asked.
    /// - Parameter kept: how many bytes of its body, and of the answer's, are kept.
    func open(_ body: ByteBuffer, kept: Int) {
        if kept > 0 {
            bodies = KeptBodies(most: kept)
            bodies?.request.append(body)
        }
        write(after: Self.courtesy)
    }

    /// The head of the answer is there.
    /// - Throws: ``Refusal`` when it could not be counted: then nobody gets it.
    func answered(_ answer: HTTPClientResponse) async throws(Refusal) {
        // What cannot be written down is not served. By now the first write is long done, upstream being far away.
        if let writing, await !writing.value { throw .uncounted }
        record.status = Int(answer.status.code)
        record.requestID = answer.headers.first(name: "request-id").flatMap {
            (1...128).contains($0.utf8.count) ? $0 : nil
        }
        let isMessage = record.path == "/v1/messages" && answer.status == .ok
        let coding = answer.headers.first(name: "content-encoding")
        if isMessage, let coding, coding.lowercased() != "identity" { throw .unreadable(coding) }
        let type = answer.headers.first(name: "content-type")
        reading = ResponseMeter(contentType: type, isMessage: isMessage)
        holdsLast = isMessage && type?.lowercased().hasPrefix("text/event-stream") != true
    }

    /// A part of the answer's body, on its way to the client.
    /// - Returns: what may go now.
    func passing(_ part: ByteBuffer) async -> ByteBuffer? {
        if record.firstByteAt == nil { record.firstByteAt = Date() }
        bodies?.answer.append(part)
        switch reading.read(part) {
        case .nothing: break
        case .began:
            take()
            write(after: Self.courtesy)
        case .complete:
            take()
            record.outcome = .complete
            await settle()
        }
        guard holdsLast else { return part }
        defer { last = part }
        return last
    }

    /// The body has come whole.
    /// - Returns: what was held of it.
    func finished() async -> ByteBuffer? {
        if reading.finish() == .complete { take() }
        if !isSettled {
            record.outcome = .complete
            await settle()
        }
        meter.counters.ended(record)
        keepBodies()
        return last
    }

    /// It goes no further.
    func failed(_ error: any Error, wasCancelled: Bool) async {
        if wasCancelled || record.status != nil, !(error is Refusal) {
            record.outcome = .cut
        } else if let refusal = error as? Refusal {
            record.outcome = .refused
            record.status = refusal.status
        } else {
            record.outcome = .unanswered
        }
        await settle()
        meter.counters.ended(record)
        keepBodies()
    }

    /// Nobody waits for that: it is for whoever looks later.
    private func keepBodies() {
        guard let bodies else { return }
        let (record, ledger, logger) = (record, meter.ledger, logger)
        Task {
            do { try await ledger.keep(bodies, of: record.id) } catch {
                logger.warning(
                    "a model request's bodies are not kept",
                    metadata: ["session": "\(record.session)", "error": "\(error)"])
            }
        }
    }

    private func take() {
        record.usage = reading.usage
        if let model = reading.model { record.model = model }
        record.cost = meter.prices.cost(of: record.usage, model: record.model ?? "")
    }

    /// Durable when it returns, unless the registry cannot be written.
    private func settle() async {
        isSettled = true
        record.endedAt = Date()
        write()
        _ = await writing?.value
    }

    private func write(after delay: TimeAmount? = nil) {
        let (record, before, ledger, logger, loop) = (record, writing, meter.ledger, logger, loop)
        // A task of its own: what was used is used, also when the request is cancelled.
        writing = Task(executorPreference: LoopExecutor.of(loop)) {
            if let delay { try? await loop.scheduleTask(in: delay) {}.futureResult.get() }
            _ = await before?.value
            do {
                try await ledger.record(record)
                return true
            } catch {
                logger.error(
                    "a model request cannot be written down",
                    metadata: ["session": "\(record.session)", "error": "\(error)"])
                return false
            }
        }
    }
}
