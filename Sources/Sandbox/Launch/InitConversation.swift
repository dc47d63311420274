import CLinux
import Glibc

/// The launcher's side of the conversation with rookery-init; see its channel.h. Every wait has an end.
struct InitConversation: Sendable {
    let socket: OwnedDescriptor
    let rootless: Bool
    /// Milliseconds that one answer may take.
    let patience: Int32

    struct Message {
        var word: String
        var descriptor: OwnedDescriptor?
    }

    func say(_ word: String, descriptors: [OwnedDescriptor] = []) throws(SandboxError) {
        do {
            try DescriptorMessages.send(Array(word.utf8), descriptors: descriptors, over: socket)
        } catch {
            throw SandboxError(
                step: "init", errno: error.errno, message: "rookery-init ended before '\(word)': \(error.reason)",
                remedy: "see the kernel log: it may have been killed for want of memory")
        }
    }

    /// The next message; nil at the end of the conversation. A reported failure is thrown.
    func hear() throws(SandboxError) -> Message? {
        let message: (bytes: [UInt8], descriptors: [OwnedDescriptor])
        do throws(SystemError) {
            let ready = try SystemError.check("poll", rk_wait_readable(socket.number, patience))
            guard ready > 0 else { throw SystemError(call: "wait for rookery-init", errno: ETIMEDOUT) }
            message = try DescriptorMessages.receive(from: socket, capacity: 1024, descriptors: 1)
        } catch {
            throw SandboxError(
                step: "init", errno: error.errno, message: "no answer from rookery-init: \(error)",
                remedy: "the machine may be overloaded, or a filesystem of the image hangs; try again")
        }
        if message.bytes.isEmpty { return nil }
        let fields = message.bytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        if fields.count == 3, fields[0] == "failed" {
            let errno = Int32(fields[2]) ?? 0
            throw SandboxError(
                step: fields[1], errno: errno,
                message: "inside the sandbox: \(fields[1]): \(SystemError.reason(errno))",
                remedy: Remedy.step(fields[1], errno: errno, rootless: rootless))
        }
        return Message(word: fields[0], descriptor: message.descriptors.first)
    }
}
