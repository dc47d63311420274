import Foundation
import Glibc
import NIOCore
import NIOPosix
import SessionCore
import WorkerControl

/// A worker of an earlier version: it sends, byte for byte, what one sent when it was recorded (control version 1, before
/// times on a monotonic clock). Only what names its process and its place in the conversation is put in anew.
final class RecordedWorker: Sendable {
    static let sessionID = SessionID(parsing: "5f0c6d3e-0000-4000-8000-000000000001")

    private let listener: any Channel

    /// Listens at `<runtime>/w/<id>/control.sock`.
    init(runtime: String, group: any EventLoopGroup) async throws {
        let folder = "\(runtime)/w/5f0c6d3e-0000-4000-8000-000000000001"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bootstrap = ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(ControlFrameDecoder()), Handler())
                }
            }
        listener = try await StandInListener.bind(bootstrap, to: "\(folder)/control.sock")
    }

    func close() { listener.close(promise: nil) }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelActive(context: ChannelHandlerContext) {
            let startTime = ProcessIdentity(pid: getpid())?.startTime ?? 0
            send(
                RecordedWorker.frames(of: "hello")[0]
                    .replacing("\"pid\":24294", with: "\"pid\":\(getpid())")
                    .replacing("\"startTime\":1550104", with: "\"startTime\":\(startTime)"), context)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // As an old worker reads it: the number, and the command's name.
            guard let request = try? ControlCodec.decode([String: JSONValue].self, from: unwrapInboundIn(data)),
                let id = request["id"]?.integer, case .object(let commands)? = request["command"],
                let command = commands.keys.first
            else { return context.close(promise: nil) }
            var name = command
            if command == "record", request["command"]?["record"]?["type"]?.string == "session.adopted" {
                name = "unknown"
            }
            let frames = RecordedWorker.frames(of: name)
            for frame in frames.isEmpty ? RecordedWorker.frames(of: "unknown") : frames {
                send(frame.replacing(/"id":\d+}}$/, with: "\"id\":\(id)}}"), context)
            }
        }

        private func send(_ text: String, _ context: ChannelHandlerContext) {
            var buffer = context.channel.allocator.buffer(capacity: text.utf8.count + 4)
            buffer.writeInteger(UInt32(text.utf8.count))
            buffer.writeString(text)
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        }
    }

    /// What it sent when it was asked that.
    static func frames(of command: String) -> [String] {
        var current = ""
        var frames: [String] = []
        for line in recording.split(separator: "\n") {
            if line.hasPrefix("> ") {
                current = String(line.dropFirst(2))
            } else if current == command {
                frames.append(String(line))
            }
        }
        return frames
    }
}

extension RecordedWorker {
    /// After each `>`, what came when it was asked that.
    fileprivate static let recording = #"""
        > hello
        {"hello":{"_0":{"incarnation":1,"pid":24294,"sessionID":"5f0c6d3e-0000-4000-8000-000000000001","startTime":1550104,"status":{"activity":"working","activitySince":"2026-11-25T17:37:06.338Z","activitySource":"silence","backgroundShell":false,"clients":[],"lastOutput":"2026-11-25T17:37:06.338Z","lastSequence":7,"size":{"cols":80,"rows":24}},"version":1}}}
        > subscribe
        {"reply":{"_1":{"done":{}},"id":1}}
        {"event":{"_0":{"data":{"cols":80,"rows":24},"incarnation":1,"seq":3,"session_id":"5f0c6d3e-0000-4000-8000-000000000001","time":"2026-11-25T17:37:06.328Z","type":"terminal.resized"}}}
        {"event":{"_0":{"data":{"activity":"working","source":"silence"},"incarnation":1,"seq":5,"session_id":"5f0c6d3e-0000-4000-8000-000000000001","time":"2026-11-25T17:37:06.338Z","type":"session.activity"}}}
        {"event":{"_0":{"data":{"by":"admin","lifecycle":"running"},"incarnation":1,"seq":6,"session_id":"5f0c6d3e-0000-4000-8000-000000000001","time":"2026-11-25T17:37:06.352Z","type":"session.running"}}}
        > status
        {"reply":{"_1":{"status":{"_0":{"activity":"working","activitySince":"2026-11-25T17:37:06.338Z","activitySource":"silence","backgroundShell":false,"clients":[],"lastOutput":"2026-11-25T17:37:06.338Z","lastSequence":7,"size":{"cols":80,"rows":24}}}},"id":2}}
        > input
        {"event":{"_0":{"data":{"by":"api","client_id":"c1","submit":true,"text":"hello"},"incarnation":1,"seq":8,"session_id":"5f0c6d3e-0000-4000-8000-000000000001","time":"2026-11-25T17:37:10.635Z","type":"input.accepted"}}}
        {"reply":{"_1":{"accepted":{"seq":8}},"id":3}}
        {"event":{"_0":{"data":{"client_id":"c1","input_seq":8},"incarnation":1,"seq":11,"session_id":"5f0c6d3e-0000-4000-8000-000000000001","time":"2026-11-25T17:37:10.787Z","type":"input.delivered"}}}
        > screen
        {"reply":{"_1":{"screen":{"_0":{"content":"ready\nhello\nhello","cursor":{"col":0,"row":3},"format":"text","seq":12,"size":{"cols":80,"rows":24}}}},"id":4}}
        > unknown
        {"reply":{"_1":{"refused":{"code":"unsupported_command","detail":"this worker does not know the command"}},"id":5}}
        > record
        {"event":{"_0":{"data":{"by":"supervisor","lifecycle":"running"},"incarnation":1,"seq":13,"session_id":"5f0c6d3e-0000-4000-8000-000000000001","time":"2026-11-25T17:37:14.798Z","type":"session.running"}}}
        {"reply":{"_1":{"done":{}},"id":7}}
        > interrupt
        {"reply":{"_1":{"done":{}},"id":8}}
        > stop
        {"reply":{"_1":{"done":{}},"id":9}}
        {"event":{"_0":{"data":{"activity":"idle","source":"silence"},"incarnation":1,"seq":16,"session_id":"5f0c6d3e-0000-4000-8000-000000000001","time":"2026-11-25T17:37:16.805Z","type":"session.activity"}}}
        {"ended":{"_0":{"exit":{"signal":15},"lastLines":"ready\nhello\nhello\n^[","lastSequence":16,"requested":true}}}
        """#
}
