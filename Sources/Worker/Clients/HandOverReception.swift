import CLinux
import Foundation
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import WorkerControl

/// One client's socket on its way in. Whatever does not go to its end leaves no descriptor open.
final class HandOverReception {
    /// For all of it; the supervisor has a shorter patience.
    private static let patience = TimeAmount.seconds(10)

    private enum Phase {
        case offer
        /// Waits for the bytes behind the request.
        case early(HandOverOffer, ClientRequest)
        /// Waits for the supervisor to let go; a place is reserved.
        case promised(HandOverOffer, ClientRequest)
        case over
    }

    private let connection: Int32
    private let worker: SessionWorker
    private var phase = Phase.offer
    private var client: Int32 = -1
    private var early = ByteBuffer()
    private var watch: DescriptorWatch?
    private var deadline: Scheduled<Void>?
    private var onEnd: ((HandOverReception) -> Void)?

    init(_ connection: Int32, for worker: SessionWorker) {
        self.connection = connection
        self.worker = worker
    }

    /// - Parameter onEnd: called once; nothing else keeps this alive.
    func start(onEnd: @escaping (HandOverReception) -> Void) {
        self.onEnd = onEnd
        watch = DescriptorWatch(owning: connection, on: worker.loop) { [weak self] in
            self?.read()
            return .zero
        }
        deadline = worker.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            self?.end("it took too long")
        }
    }

    private func read() {
        var bytes = [UInt8](repeating: 0, count: HandOverOffer.piece)
        while true {
            if case .over = phase { return }
            var descriptor: Int32 = -1
            var count = 0
            let received = rk_receive_descriptors(connection, &bytes, bytes.count, &descriptor, 1, &count, 0)
            if received == -Int(EAGAIN) { return }
            guard received > 0 else {
                return end(received == 0 ? "the supervisor gave it up" : "it cannot be read (errno \(-received))")
            }
            take(bytes[..<received], count == 1 ? descriptor : nil)
        }
    }

    private func take(_ message: ArraySlice<UInt8>, _ descriptor: Int32?) {
        switch phase {
        case .offer:
            guard let descriptor else { return end("an offer has no socket") }
            client = descriptor
            offered(message)
        case .early(let offer, let request):
            guard descriptor == nil, early.readableBytes + message.count <= offer.early else {
                if let descriptor { close(descriptor) }
                return end("more came than was offered")
            }
            early.writeBytes(message)
            if early.readableBytes == offer.early { promise(offer, request) }
        case .promised(let offer, let request):
            guard descriptor == nil, HandOverWord(parsing: message) == .yours else {
                if let descriptor { close(descriptor) }
                return end("what came is no hand-over")
            }
            serve(offer, request)
        case .over: if let descriptor { close(descriptor) }
        }
    }

    private func offered(_ message: ArraySlice<UInt8>) {
        guard let offer = try? HandOverOffer(parsing: message), offer.version == HandOverOffer.version,
            (0...HandOverOffer.mostEarly).contains(offer.early)
        else { return refuse(ClientRefusal(.notImplemented, "this worker does not know such an offer")) }
        guard Self.isStream(client) else {
            return refuse(ClientRefusal(.badRequest, "what was passed is not a connection"))
        }
        do {
            let request = try ClientRequest(target: offer.target, client: offer.client)
            try worker.checkRoom(for: request)
            if offer.early > 0 { phase = .early(offer, request) } else { promise(offer, request) }
        } catch {
            refuse(error)
        }
    }

    private func promise(_ offer: HandOverOffer, _ request: ClientRequest) {
        do {
            try worker.checkRoom(for: request)
        } catch {
            return refuse(error)
        }
        worker.promisedClients += 1
        phase = .promised(offer, request)
        if !send(.taken) { end("the supervisor is gone") }
    }

    private func serve(_ offer: HandOverOffer, _ request: ClientRequest) {
        let socket = client
        client = -1
        end(nil)
        ClientPipeline.serve(socket, request, greeting: offer.greeting, early: early, for: worker)
    }

    private func refuse(_ refusal: ClientRefusal) {
        _ = send(.refused(status: Int(refusal.status.code), detail: refusal.detail))
        end(refusal.detail)
    }

    private func send(_ word: HandOverWord) -> Bool {
        let text = Array(word.text.utf8)
        return rk_send_descriptors(connection, text, text.count, nil, 0) == text.count
    }

    /// - Parameter reason: why nothing came of it; nil when it went well.
    private func end(_ reason: String?) {
        if case .over = phase { return }
        if let reason {
            worker.logger.info("a client was not taken over", metadata: ["reason": "\(reason)"])
        }
        if case .promised = phase { worker.promisedClients -= 1 }
        phase = .over
        if client >= 0 { close(client) }
        client = -1
        deadline?.cancel()
        watch?.cancel()
        watch = nil
        onEnd?(self)
        onEnd = nil
    }

    /// A connected stream socket: what the event loop takes without fail.
    private static func isStream(_ descriptor: Int32) -> Bool {
        var kind: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 else { return false }
        return kind == Int32(SOCK_STREAM.rawValue)
    }
}
