import Sandbox
import WorkerControl

/// The pipes of a structured session's command, both ends of each.
struct SessionStreams {
    let input: (read: OwnedDescriptor, write: OwnedDescriptor)
    let output: (read: OwnedDescriptor, write: OwnedDescriptor)
    let error: (read: OwnedDescriptor, write: OwnedDescriptor)

    init() throws(LaunchFailure) {
        do {
            input = try DescriptorMessages.pipe()
            output = try DescriptorMessages.pipe()
            error = try DescriptorMessages.pipe()
        } catch {
            throw LaunchFailure(
                step: "pipes", errno: error.errno, message: "\(error)", remedy: "raise the limit of open files")
        }
    }

    /// What the command gets.
    var inside: StandardStreams { StandardStreams(input: input.read, output: output.write, error: error.write) }
}
