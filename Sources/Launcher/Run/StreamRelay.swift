import Foundation
import Glibc
import Sandbox
import WorkerControl

/// Pipes in place of a caller's standard streams: what the caller has there (a directory, a socket, a terminal) does not
/// itself get into the sandbox.
final class StreamRelay {
    /// What the command gets.
    private(set) var inside: StandardStreams?
    private var input: OwnedDescriptor?
    private let output: OwnedDescriptor
    private let error: OwnedDescriptor
    private let copying = DispatchGroup()

    init() throws(LaunchFailure) {
        do {
            let (input, output, error) = (
                try DescriptorMessages.pipe(), try DescriptorMessages.pipe(), try DescriptorMessages.pipe()
            )
            inside = StandardStreams(input: input.read, output: output.write, error: error.write)
            self.input = input.write
            self.output = output.read
            self.error = error.read
        } catch {
            throw LaunchFailure(
                step: "pipes", errno: error.errno, message: "\(error)", remedy: "raise the limit of open files")
        }
    }

    /// The command has its copies: from here on the pipes end with it.
    func closeInside() { inside = nil }

    func start() {
        if let input {
            self.input = nil
            Thread {
                ByteCopy.run(from: 0, to: input.number)
                // The end of standard input is the end of the pipe.
                withExtendedLifetime(input) {}
            }.start()
        }
        for (source, target) in [(output, Int32(1)), (error, Int32(2))] {
            copying.enter()
            Thread { [copying] in
                ByteCopy.run(from: source.number, to: target)
                copying.leave()
            }.start()
        }
    }

    /// Waits until all output is passed on.
    func finish() { copying.wait() }
}
