import NIOCore
import Policy
import Testing

@testable import Gateway

@Suite struct EgressTablesTests {
    @Test(
        arguments: [
            ("example.com", "example.com", false), ("EXAMPLE.com.", "example.com", false),
            ("a_b.example", "a_b.example", false),
            ("93.184.216.34", "93.184.216.34", true), ("2606:4700::1111", "2606:4700::1111", true),
            ("2606:4700:0:0::1111", "2606:4700::1111", true), ("127.1", nil, false), ("2130706433", nil, false),
            ("0x7f000001", nil, false), ("0x7f.1", nil, false), ("0177.0.0.1", nil, false), ("127.0.0.01", nil, false),
            ("1.2.3", nil, false), ("1.2.3.256", nil, false), ("example..com", nil, false), ("-a.com", nil, false),
            ("ex ample.com", nil, false), ("exämple.com", nil, false), ("", nil, false), ("a.0x7f", nil, false),
            ("::1%lo", nil, false), ("fe80::1%25eth0", nil, false), ("[::1]", nil, false), ("a/b", nil, false),
            ("a@b", nil, false), ("127.0.0.1.", "127.0.0.1", true), ("1.2.3.4.5", nil, false), ("0", nil, false),
            ("127.0x1", nil, false), ("１２７.0.0.1", nil, false), ("::ffff:127.0.0.1", "::ffff:127.0.0.1", true),
            ("::ffff:7f00:1", "::ffff:127.0.0.1", true), ("a\u{0}b", nil, false),
        ] as [(String, String?, Bool)])
    func `a host is`(text: String, host: String?, isAddress: Bool) {
        let found = EgressHost(text)
        #expect(found?.text == host)
        #expect((found?.isAddress ?? false) == isAddress)
    }

    @Test(
        arguments: [
            ("example.com:443", "example.com:443"), ("[2606:4700::1111]:443", "[2606:4700::1111]:443"),
            ("example.com", nil), ("example.com:0", nil), ("example.com:65536", nil), ("example.com:+443", nil),
            ("u@example.com:443", nil), ("2606:4700::1111:443", nil), ("[example.com]:443", nil), ("[::1]x:443", nil),
            ("example.com:443 ", nil), ("example.com:443\r\nx: y", nil), (":443", nil), ("*:443", nil),
        ] as [(String, String?)])
    func `a destination is`(text: String, destination: String?) {
        #expect(EgressDestination(authority: text)?.description == destination)
    }

    @Test(arguments: [
        ("93.184.216.34", true), ("8.8.8.8", true), ("0.0.0.0", false), ("10.1.2.3", false), ("100.64.0.1", false),
        ("100.63.255.255", true), ("100.100.100.200", false), ("127.0.0.1", false), ("127.255.255.254", false),
        ("169.254.169.254", false), ("172.16.0.1", false), ("172.15.0.1", true), ("172.32.0.1", true),
        ("192.168.1.1", false), ("192.0.0.192", false), ("198.18.0.1", false), ("198.20.0.1", true),
        ("224.0.0.1", false), ("255.255.255.255", false), ("168.63.129.16", false), ("168.63.129.17", true),
        ("2606:4700:4700::1111", true), ("::1", false), ("::", false), ("::ffff:127.0.0.1", false),
        ("::ffff:93.184.216.34", true), ("::127.0.0.1", false), ("64:ff9b::7f00:1", false), ("fe80::1", false),
        ("fc00::1", false), ("fd00:ec2::254", false), ("ff02::1", false), ("2001:db8::1", false),
        ("2001:0:1::1", false), ("2001:4860:4860::8888", true), ("2002:7f00:1::1", false), ("3fff::1", false),
    ])
    func `an address belongs to the internet`(text: String, isPublic: Bool) throws {
        #expect(AddressRules.isPublic(try SocketAddress(ipAddress: text, port: 443), own: []) == isPublic)
    }

    @Test func `this machine's own public address is not reached`() throws {
        let own = try SocketAddress(ipAddress: "93.184.216.34", port: 0)
        for text in ["93.184.216.34", "::ffff:93.184.216.34"] {
            #expect(!AddressRules.isPublic(try SocketAddress(ipAddress: text, port: 22), own: [own]))
        }
    }

    @Test(
        arguments: [
            ("pypi.org", "pypi.org:443", nil, true), ("pypi.org", "pypi.org:80", nil, false),
            ("pypi.org", "files.pypi.org:443", nil, false), ("*.pypi.org", "files.pypi.org:443", nil, true),
            ("*.pypi.org", "a.b.pypi.org:443", nil, true), ("*.pypi.org", "pypi.org:443", nil, false),
            ("*.pypi.org", "evilpypi.org:443", nil, false), ("*.pypi.org", "pypi.org.evil.example:443", nil, false),
            ("deb.debian.org:80,443", "deb.debian.org:80", "GET", true),
            ("GET,HEAD deb.debian.org:80", "deb.debian.org:80", "POST", false),
            ("GET,HEAD deb.debian.org:80", "DEB.debian.org.:80", "HEAD", true),
            ("tcp git.example.com:22", "git.example.com:22", nil, true),
            ("93.184.216.34", "93.184.216.34:443", nil, true), ("*.1.2.3", "9.1.2.3:443", nil, false),
        ] as [(String, String, String?, Bool)])
    func `a policy's entry lets out`(entry: String, asked: String, method: String?, isAllowed: Bool) throws {
        let destination = try #require(EgressDestination(authority: asked))
        let target = EgressTarget(parsing: entry)
        #expect((target?.matches(destination.host, port: destination.port, method: method) ?? false) == isAllowed)
        if let target { #expect(EgressTarget(parsing: target.text) == target) }
    }

    @Test(arguments: [
        "*", "*.com", "*.*.com", "a*.com", "http://a.com", "a.com:", "a.com:0", "a.com:443,443", "get a.com",
        "GET,GET a.com", "", " a.com", "A.com", "127.1",
    ])
    func `is no entry of a policy`(text: String) { #expect(EgressTarget(parsing: text) == nil) }

    static func hello(_ name: String?, records: [Int] = []) -> [UInt8] {
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).reversed().map { UInt8(value >> (8 * $0) & 0xff) }
        }
        func sized(_ bytes: [UInt8], _ count: Int) -> [UInt8] { number(bytes.count, count) + bytes }
        var extensions: [UInt8] = [0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04]
        if let name {
            extensions += [0, 0] + sized(sized([0] + sized(Array(name.utf8), 2), 2), 2)
        }
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + sized([], 1) + sized([0x13, 0x01], 2) + sized([0], 1)
            + sized(extensions, 2)
        var handshake = [1] + sized(body, 3)
        var bytes: [UInt8] = []
        for size in records + [handshake.count] where !handshake.isEmpty {
            let part = Array(handshake.prefix(size))
            handshake.removeFirst(part.count)
            bytes += [0x16, 3, 1] + sized(part, 2)
        }
        return bytes
    }

    @Test func `a TLS client says its server, in pieces of any size and several records`() {
        for bytes in [Self.hello("pypi.org"), Self.hello("PyPI.org", records: [1, 5, 40])] {
            for count in 0..<bytes.count {
                #expect(ClientHello.read(Array(bytes.prefix(count))) == .incomplete, "after \(count) bytes")
            }
            #expect(ClientHello.read(bytes) == .server("pypi.org"))
            #expect(ClientHello.read(bytes + [0x14, 3, 3, 0, 1, 1]) == .server("pypi.org"))
        }
        #expect(ClientHello.read(Self.hello(nil)) == .server(nil))
    }

    @Test func `two server names in one message are none`() {
        let one = Self.hello("pypi.org")
        // The same extension once more, with the lengths around it made to fit.
        let name = Array(one.suffix(17))
        var bytes = one + name
        func add(_ index: Int) {
            let value = Int(bytes[index]) << 8 | Int(bytes[index + 1]) + name.count
            (bytes[index], bytes[index + 1]) = (UInt8(value >> 8), UInt8(value & 0xff))
        }
        for index in [3, 7, 50] { add(index) }
        #expect(ClientHello.read(bytes) == .other)
    }

    @Test func `a first message without end is given up`() {
        let long = [0x16, 3, 1, 0x40, 0] + [1, 0, 0x41, 0] + [UInt8](repeating: 0, count: 20_000)
        #expect(ClientHello.read(long) == .other)
    }

    @Test(
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), Array("SSH-2.0-x".utf8), [0x16, 2, 0, 0, 1, 1], [0x16, 3, 1, 0, 0],
            [0x16, 3, 1, 0xff, 0xff], [0x16, 3, 1, 0, 4, 2, 0, 0, 0], [0x16, 3, 1, 0, 5, 1, 0xff, 0xff, 0xff, 0],
            [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0], [0x80, 0x2e, 1],
        ] as [[UInt8]])
    func `is not the beginning of TLS`(bytes: [UInt8]) { #expect(ClientHello.read(bytes) == .other) }
}
