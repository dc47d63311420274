/// What an ``OutputParser`` found in a terminal's output.
protocol OutputSink: AnyObject {
    /// Characters as valid UTF-8, and control characters other than ESC.
    func text(_ bytes: UnsafeRawBufferPointer)
    /// `ESC`, at most one intermediate byte (0 for none), a final byte.
    func escape(intermediate: UInt8, final: UInt8)
    func control(_ sequence: ControlSequence)
    /// The payload of an operating system command (OSC), cut to ``OutputParser/longestString`` bytes.
    func operatingSystemCommand(_ payload: [UInt8])
}

/// One CSI sequence (ECMA-48 5.4) with its parameters bounded.
struct ControlSequence {
    /// A parameter that was left out.
    static let missing = -1
    static let maximumParameters = 32

    /// `<`, `=`, `>` or `?`; 0 for none.
    var leader: UInt8 = 0
    /// 0 for none.
    var intermediate: UInt8 = 0
    var final: UInt8 = 0
    private(set) var parameters: [Int] = []
    /// Bit n: parameter n continues parameter n-1 (a colon stood between them).
    private(set) var continuations: UInt32 = 0

    mutating func reset() {
        leader = 0
        intermediate = 0
        final = 0
        parameters.removeAll(keepingCapacity: true)
        continuations = 0
    }

    mutating func digit(_ digit: Int) {
        if parameters.isEmpty { parameters.append(Self.missing) }
        let last = parameters.count - 1
        parameters[last] = min(max(parameters[last], 0) * 10 + digit, 65_535)
    }

    /// Answers false when there are too many parameters.
    mutating func separator(continues: Bool) -> Bool {
        if parameters.isEmpty { parameters.append(Self.missing) }
        guard parameters.count < Self.maximumParameters else { return false }
        if continues { continuations |= 1 << UInt32(parameters.count) }
        parameters.append(Self.missing)
        return true
    }

    func continues(_ index: Int) -> Bool { index < 32 && continuations & (1 << UInt32(index)) != 0 }

    func parameter(_ index: Int, default value: Int) -> Int {
        index < parameters.count && parameters[index] != Self.missing ? parameters[index] : value
    }
}

/// Cuts a terminal's output into text and sequences (ECMA-48, DEC's parser as published by Paul Williams), wherever
/// the reads happened to split it. Its output is bounded and well-formed, whatever the session wrote: strings and
/// parameters are cut, invalid UTF-8 becomes U+FFFD, C1 controls in UTF-8 and endless combining characters are dropped.
struct OutputParser {
    static let longestString = 4096
    /// Combining characters taken after one base character.
    static let longestCombination = 16

    private enum State {
        case ground, escape, escapeIntermediate, csi, csiIntermediate, csiIgnore
        case osc, string, oscEscape, stringEscape
    }

    private var state = State.ground
    private var sequence = ControlSequence()
    private var intermediate: UInt8 = 0
    private var payload: [UInt8] = []
    /// The beginning of a character whose rest is still to come.
    private var partial: [UInt8] = []
    private var combined = 0

    /// True between characters and sequences.
    var isAtRest: Bool { state == .ground && partial.isEmpty }

    mutating func parse<Sink: OutputSink>(_ bytes: UnsafeRawBufferPointer, into sink: Sink) {
        var index = 0
        while index < bytes.count {
            switch state {
            case .ground: index = ground(bytes, from: index, sink)
            case .osc, .string: index = string(bytes, from: index)
            default:
                step(bytes[index], sink)
                index += 1
            }
            finishString(sink)
        }
    }

    // MARK: Text

    private mutating func ground<Sink: OutputSink>(
        _ bytes: UnsafeRawBufferPointer, from first: Int, _ sink: Sink
    ) -> Int {
        var start = first
        var index = first
        if !partial.isEmpty { (start, index) = finishPartial(bytes, from: first, sink) }
        func flush(_ end: Int) {
            if end > start { sink.text(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x80 {
                if byte == 0x1B {
                    flush(index)
                    enterEscape()
                    return index + 1
                }
                if byte >= 0x20 { combined = 0 }
                index += 1
                continue
            }
            let character = Character(bytes, at: index)
            switch character {
            case .scalar(let value, let length):
                if keeps(value) {
                    index += length
                } else {
                    flush(index)
                    index += length
                    start = index
                }
            case .incomplete:
                flush(index)
                partial = Array(bytes[index...])
                return bytes.count
            case .invalid(let length):
                flush(index)
                replacement(sink)
                index += length
                start = index
            }
        }
        flush(index)
        return index
    }

    private mutating func finishPartial<Sink: OutputSink>(
        _ bytes: UnsafeRawBufferPointer, from first: Int, _ sink: Sink
    ) -> (Int, Int) {
        var index = first
        while index < bytes.count {
            partial.append(bytes[index])
            index += 1
            let character = partial.withUnsafeBytes { Character($0, at: 0) }
            switch character {
            case .incomplete: continue
            case .scalar(let value, _):
                if keeps(value) { partial.withUnsafeBytes { sink.text($0) } }
                partial.removeAll(keepingCapacity: true)
                return (index, index)
            case .invalid:
                // The byte that spoilt it starts something of its own.
                partial.removeAll(keepingCapacity: true)
                replacement(sink)
                return (index - 1, index - 1)
            }
        }
        return (index, index)
    }

    private func replacement<Sink: OutputSink>(_ sink: Sink) {
        withUnsafeBytes(of: (0xEF, 0xBF, 0xBD) as (UInt8, UInt8, UInt8)) { sink.text($0) }
    }

    private mutating func keeps(_ scalar: UInt32) -> Bool {
        if scalar < 0xA0 { return false }
        guard ZeroWidth.contains(scalar) else {
            combined = 0
            return true
        }
        combined += 1
        return combined <= Self.longestCombination
    }

    // MARK: Sequences

    private mutating func enterEscape() {
        state = .escape
        intermediate = 0
    }

    private mutating func step<Sink: OutputSink>(_ byte: UInt8, _ sink: Sink) {
        switch state {
        case .oscEscape, .stringEscape:
            // ESC \ ends the string; ESC and anything else ends it too and starts a sequence.
            let wasCommand = state == .oscEscape
            if byte == 0x5C {
                state = .ground
                if wasCommand { pendingCommand = true }
            } else {
                enterEscape()
                step(byte, sink)
            }
            return
        default: break
        }
        switch byte {
        case 0x1B:
            enterEscape()
            return
        case 0x18, 0x1A:
            state = .ground
            return
        case 0x00..<0x20:
            withUnsafeBytes(of: byte) { sink.text($0) }
            return
        case 0x7F:
            return
        case 0x80...:
            // Not part of any sequence: give up on this one.
            state = .ground
            return
        default: break
        }
        switch state {
        case .escape, .escapeIntermediate: escape(byte, sink)
        case .csi, .csiIntermediate, .csiIgnore: csi(byte, sink)
        default: break
        }
    }

    private mutating func escape<Sink: OutputSink>(_ byte: UInt8, _ sink: Sink) {
        if byte < 0x30 {
            // A second intermediate byte makes a sequence that nobody here knows; its end still has to be found.
            intermediate = intermediate == 0 ? byte : 0xFF
            state = .escapeIntermediate
            return
        }
        state = .ground
        if intermediate == 0 {
            switch byte {
            case 0x5B:
                sequence.reset()
                state = .csi
                return
            case 0x5D:
                payload.removeAll(keepingCapacity: true)
                state = .osc
                return
            case 0x50, 0x58, 0x5E, 0x5F:
                state = .string
                return
            default: break
            }
        }
        if intermediate != 0xFF { sink.escape(intermediate: intermediate, final: byte) }
    }

    private mutating func csi<Sink: OutputSink>(_ byte: UInt8, _ sink: Sink) {
        if byte >= 0x40 {
            let ignored = state == .csiIgnore
            state = .ground
            sequence.final = byte
            if !ignored { sink.control(sequence) }
            return
        }
        guard state != .csiIgnore else { return }
        switch byte {
        case 0x30...0x39 where state == .csi: sequence.digit(Int(byte - 0x30))
        case 0x3A, 0x3B:
            if state != .csi || !sequence.separator(continues: byte == 0x3A) { state = .csiIgnore }
        case 0x3C...0x3F where state == .csi && sequence.leader == 0 && sequence.parameters.isEmpty:
            sequence.leader = byte
        case 0x20...0x2F where sequence.intermediate == 0:
            sequence.intermediate = byte
            state = .csiIntermediate
        default: state = .csiIgnore
        }
    }

    // MARK: Strings

    private var pendingCommand = false

    private mutating func string(_ bytes: UnsafeRawBufferPointer, from first: Int) -> Int {
        let isCommand = state == .osc
        var index = first
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x1B:
                state = isCommand ? .oscEscape : .stringEscape
                return index
            case 0x18, 0x1A:
                state = .ground
                return index
            case 0x07 where isCommand:
                state = .ground
                pendingCommand = true
                return index
            default:
                if isCommand, payload.count < Self.longestString { payload.append(byte) }
            }
        }
        return index
    }

    private mutating func finishString<Sink: OutputSink>(_ sink: Sink) {
        guard pendingCommand else { return }
        pendingCommand = false
        sink.operatingSystemCommand(payload)
        payload.removeAll(keepingCapacity: true)
    }
}

extension OutputParser {
    /// One UTF-8 sequence (RFC 3629) at a place where a byte of 0x80 or more stands.
    enum Character: Equatable {
        case scalar(UInt32, length: Int)
        case incomplete
        case invalid(length: Int)

        init(_ bytes: UnsafeRawBufferPointer, at index: Int) {
            let lead = bytes[index]
            let length: Int
            var value: UInt32
            var second: ClosedRange<UInt8> = 0x80...0xBF
            switch lead {
            case 0xC2...0xDF: (length, value) = (2, UInt32(lead & 0x1F))
            case 0xE0...0xEF:
                (length, value) = (3, UInt32(lead & 0x0F))
                if lead == 0xE0 { second = 0xA0...0xBF }
                if lead == 0xED { second = 0x80...0x9F }
            case 0xF0...0xF4:
                (length, value) = (4, UInt32(lead & 0x07))
                if lead == 0xF0 { second = 0x90...0xBF }
                if lead == 0xF4 { second = 0x80...0x8F }
            default:
                self = .invalid(length: 1)
                return
            }
            for offset in 1..<length {
                guard index + offset < bytes.count else {
                    self = .incomplete
                    return
                }
                let byte = bytes[index + offset]
                guard (offset == 1 ? second : 0x80...0xBF).contains(byte) else {
                    self = .invalid(length: offset)
                    return
                }
                value = value << 6 | UInt32(byte & 0x3F)
            }
            self = .scalar(value, length: length)
        }
    }
}

/// Characters that a terminal draws onto the one before: a superset of libvterm's own table.
enum ZeroWidth {
    static func contains(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x300: return scalar == 0xAD
        // Punctuation, symbols, box drawing, CJK and Hangul without a mark among them.
        case 0x2010..<0x2028, 0x2070..<0x20D0, 0x2100..<0x2CEF, 0x3100..<0xA66F, 0xAC00..<0xFB1E: return false
        // Hangul vowels and final consonants join the syllable before.
        case 0x1160...0x11FF: return true
        default:
            guard let scalar = Unicode.Scalar(scalar) else { return false }
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: return true
            default: return false
            }
        }
    }
}
