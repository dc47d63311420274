import Foundation
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// One supervisor's connection.
final class ControlConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A supervisor that leaves so much unread is cut off; it connects again and says where it was.
    static let backlog = 16 << 20
    /// Events read from the log at a time.
    private static let replayStep = 256 * 1024

    private let worker: SessionWorker
    private var context: ChannelHandlerContext?

    init(worker: SessionWorker) { self.worker = worker }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        worker.connections[ObjectIdentifier(self)] = self
        send(.hello(worker.hello))
        worker.connected()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        worker.connections[ObjectIdentifier(self)] = nil
        worker.subscribers[ObjectIdentifier(self)] = nil
        worker.endSpareIfAlone()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        worker.logger.warning("control connection closed", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        do {
            take(try ControlCodec.decode(ControlRequest.self, from: frame))
        } catch {
            // A command of a newer supervisor: say so under its number if it has one.
            guard let id = try? ControlCodec.decode(RequestNumber.self, from: frame).id else {
                return errorCaught(context: context, error: error)
            }
            reply(id, .refused(code: "unsupported_command", detail: "this worker does not know the command"))
        }
    }

    private struct RequestNumber: Decodable {
        var id: UInt64
    }

    func publish(_ event: SessionEvent) { send(.event(event)) }

    /// The last frame; the future ends when it is on its way.
    func finish(_ end: WorkerEnd) -> EventLoopFuture<Void>? {
        guard let context,
            let frame = try? ControlCodec.frame(
                ControlFrame.ended(end), allocator: context.channel.allocator)
        else { return nil }
        return context.writeAndFlush(wrapOutboundOut(frame))
    }

    private func send(_ frame: ControlFrame) {
        guard let context else { return }
        guard context.channel.isWritable else {
            worker.logger.warning("a supervisor does not read: its connection is closed")
            return context.close(promise: nil)
        }
        do {
            let buffer = try ControlCodec.frame(frame, allocator: context.channel.allocator)
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        } catch {
            worker.logger.error("a control frame cannot be sent", metadata: ["error": "\(error)"])
            guard case .reply(let id, _) = frame else { return }
            send(.reply(id: id, .refused(code: "reply_too_large", detail: "\(error)")))
        }
    }

    private func reply(_ id: UInt64, _ reply: ControlReply) { send(.reply(id: id, reply)) }

    private func take(_ request: ControlRequest) {
        let id = request.id
        if let spare = worker.spare {
            return worker.take(request.command, for: spare) { self.reply(id, $0) }
        }
        switch request.command {
        case .subscribe(let since):
            reply(id, .done)
            replay(since: since)
        case .input(let text, let clientID, let submit):
            do {
                try worker.type(text, submit: submit, clientID: clientID, sender: "api") { seq in
                    self.reply(id, .accepted(seq: seq))
                }
            } catch {
                reply(id, .refused(code: error.code, detail: error.detail))
            }
        case .interrupt:
            do {
                try worker.interrupt(sender: "api")
                reply(id, .done)
            } catch {
                reply(id, .refused(code: error.code, detail: error.detail))
            }
        case .screen(let format): reply(id, .screen(worker.screenContent(format)))
        case .status: reply(id, .status(worker.status))
        case .record(let type, let data):
            worker.record(type, data)
            reply(id, .done)
        case .stop(let grace, let returns):
            worker.requestStop(grace: grace, returns: returns ?? false)
            reply(id, .done)
        case .freeze:
            do {
                try worker.freeze()
                reply(id, .done)
            } catch {
                reply(id, .refused(code: error.code, detail: error.detail))
            }
        case .hold(let seconds):
            worker.hold(seconds: seconds) { [weak self] refusal in
                self?.reply(id, refusal.map { .refused(code: $0.code, detail: $0.detail) } ?? .done)
            }
        case .release:
            worker.release()
            reply(id, .done)
        case .credential(let change):
            worker.apply(change)
            reply(id, .done)
        case .session(let command, let origin):
            worker.take(command, from: origin) { self.reply(id, .outcome($0)) }
        case .upload(let part):
            guard part.isValid else {
                return reply(id, .refused(code: "invalid", detail: "the file's name or size is not to be had"))
            }
            do {
                let (directory, place) =
                    worker.workspace.map { ($0, SandboxLayout.workspace) } ?? (worker.home, SandboxLayout.home)
                try directory.write(part)
                reply(id, .message(["path": .string("\(place)/\(part.path)")]))
            } catch {
                reply(id, .refused(code: "not_stored", detail: "the file cannot be stored: \(error)"))
            }
        case .spareReady, .claim:
            reply(id, .refused(code: "not_a_spare", detail: "a session has this worker"))
        case .dialect(let name, let message):
            guard name == "echokit" else {
                return reply(
                    id, .refused(code: "unknown_dialect", detail: "this worker speaks echokit, not \(name.prefix(64))"))
            }
            worker.echokit.request(message, from: EchokitSender(principal: "api", access: .drive)) {
                self.reply(id, .message($0))
            }
        }
    }

    /// What the log still holds, then live.
    private func replay(since: UInt64) {
        worker.subscribers[ObjectIdentifier(self)] = nil
        var from = since
        while true {
            let reading = worker.log.events(since: from, limit: Self.replayStep)
            for event in reading.events { send(.event(event)) }
            from = reading.next
            if reading.isComplete { break }
        }
        if context != nil { worker.subscribers[ObjectIdentifier(self)] = self }
    }
}
