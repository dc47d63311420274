import CLinux
import Foundation

/// A program on pipes, on this machine: its lines either way. What it says on standard error goes where ours does.
final class PipedProgram: Sendable {
    let process: pid_t
    private let input: Int32
    private let output: Int32

    /// - Throws: ``Failure/refused(_:)`` with what could not be done.
    init(_ arguments: [String], environment: [String: String]) throws(Failure) {
        var (toProgram, fromProgram): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&toProgram) == 0, pipe(&fromProgram) == 0 else {
            throw .refused("no pipe can be made: \(String(cString: strerror(errno)))")
        }
        for descriptor in toProgram + fromProgram { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        defer {
            close(toProgram[0])
            close(fromProgram[1])
        }
        do {
            process = try ProgramSpawn.start(arguments, environment: environment) { actions in
                posix_spawn_file_actions_adddup2(&actions, toProgram[0], STDIN_FILENO)
                posix_spawn_file_actions_adddup2(&actions, fromProgram[1], STDOUT_FILENO)
            }
        } catch {
            close(toProgram[1])
            close(fromProgram[0])
            throw error
        }
        (input, output) = (toProgram[1], fromProgram[0])
    }

    /// Reads what the program says, on a thread of its own, until it has ended.
    /// - Parameter ended: its exit code, or 128 and the signal's number.
    func read(_ receive: @escaping @Sendable (String) -> Void, ended: @escaping @Sendable (Int32) -> Void) {
        Thread.detachNewThread { [output, process] in
            Lines.read(output, receive)
            ended(ProgramSpawn.wait(for: process))
        }
    }

    /// Gives it a line; one that does not read holds up whoever gives.
    func give(_ line: String) { Lines.write(line, to: input) }

    func closeInput() { close(input) }

    func signal(_ number: Int32) { kill(process, number) }
}

/// Lines of a descriptor.
enum Lines {
    /// Bytes of one; what is longer is cut there.
    private static let longest = 16 << 20

    static func read(_ descriptor: Int32, _ receive: (String) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        var held: [UInt8] = []
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            var rest = buffer[..<count]
            while let end = rest.firstIndex(of: 0x0A) {
                held += rest[..<end]
                if !held.isEmpty { receive(String(decoding: held, as: UTF8.self)) }
                held.removeAll(keepingCapacity: held.count < 1 << 20)
                rest = rest[(end + 1)...]
            }
            if held.count < longest { held += rest }
        }
        if !held.isEmpty { receive(String(decoding: held, as: UTF8.self)) }
    }

    static func write(_ line: String, to descriptor: Int32) {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}
