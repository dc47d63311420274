import Dispatch
import Glibc
import NIOCore

/// Says on the event loop that a descriptor can be read, for what the loop itself cannot watch: it reads what it watches,
/// and a read drops the descriptors that come with a message.
final class DescriptorWatch {
    private let source: any DispatchSourceRead

    /// Takes the descriptor over: ``cancel()`` closes it.
    /// - Parameter onReadable: answers how long it does not want to be asked again.
    init(owning descriptor: Int32, on loop: any EventLoop, onReadable: @escaping () -> TimeAmount) {
        let bound = NIOLoopBound(onReadable, eventLoop: loop)
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        let again = NIOLoopBound(source, eventLoop: loop)
        source.setEventHandler {
            // Not again before the loop has read.
            source.suspend()
            loop.execute {
                let pause = bound.value()
                guard pause > .zero else { return again.value.resume() }
                loop.scheduleTask(in: pause) { again.value.resume() }
            }
        }
        source.setCancelHandler { close(descriptor) }
        self.source = source
        source.activate()
    }

    func cancel() { source.cancel() }
}
