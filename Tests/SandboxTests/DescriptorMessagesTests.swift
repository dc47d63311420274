import CLinux
import Glibc
import Testing

@testable import Sandbox

@Suite struct DescriptorMessagesTests {
    @Test(arguments: [Int32(SOCK_STREAM.rawValue), Int32(SOCK_SEQPACKET.rawValue)])
    func carriesSeveralDescriptors(type: Int32) throws {
        let (left, right) = try DescriptorMessages.socketPair(type: type)
        let memory = try (0..<5).map { try DescriptorMessages.sealedMemory(named: "test", [UInt8($0)]) }
        try DescriptorMessages.send([1, 2, 3], descriptors: memory, over: left)
        let (bytes, descriptors) = try DescriptorMessages.receive(from: right, capacity: 16, descriptors: 8)
        #expect(bytes == [1, 2, 3])
        let contents = descriptors.map { descriptor in
            var byte: UInt8 = 0xff
            return read(descriptor.number, &byte, 1) == 1 ? byte : 0xff
        }
        #expect(contents == [0, 1, 2, 3, 4])
    }

    @Test func refusesMoreDescriptorsThanAskedForAndClosesThem() throws {
        let (left, right) = try DescriptorMessages.socketPair(type: Int32(SOCK_SEQPACKET.rawValue))
        let (read, write) = try DescriptorMessages.pipe()
        try DescriptorMessages.send([1], descriptors: [write, write, write], over: left)
        #expect(throws: SystemError(call: "recvmsg", errno: EMFILE)) {
            try DescriptorMessages.receive(from: right, capacity: 16, descriptors: 2)
        }
        // The write end is still open here, and nowhere else: after closing it, the pipe is at its end.
        #expect(rk_wait_readable(read.number, 0) == 0)
        withExtendedLifetime(write) {}
    }

    @Test func refusesAMessageThatDoesNotFit() throws {
        let (left, right) = try DescriptorMessages.socketPair(type: Int32(SOCK_SEQPACKET.rawValue))
        try DescriptorMessages.send(Array(repeating: 1, count: 17), over: left)
        #expect(throws: SystemError(call: "recvmsg", errno: EMSGSIZE)) {
            try DescriptorMessages.receive(from: right, capacity: 16)
        }
    }

    @Test func endsWithNoBytes() throws {
        let (left, right) = try DescriptorMessages.socketPair(type: Int32(SOCK_SEQPACKET.rawValue))
        shutdown(left.number, Int32(SHUT_RDWR))
        #expect(try DescriptorMessages.receive(from: right, capacity: 16).bytes.isEmpty)
    }

    @Test func sealedMemoryCannotBeChanged() throws {
        let memory = try DescriptorMessages.sealedMemory(named: "test", Array("fixed".utf8))
        #expect(write(memory.number, "x", 1) == -1)
        #expect(ftruncate(memory.number, 1) == -1)
    }
}
