import Foundation
import SessionCore

/// What a program on stream-json said and was given here, numbered: what a server does not have yet, and one that was
/// restarted has nothing of.
struct StreamRecord {
    private let capacity: Int
    private var records: [RemoteRecord] = []
    private var bytes = 0
    private var last: UInt64 = 0
    /// Permissions that wait for an answer, and those that had one.
    private var open: Set<String> = []
    private var answered: Set<String> = []
    /// Requests of the server that were done.
    private var given: Set<String> = []

    /// - Parameter capacity: bytes of lines kept.
    init(capacity: Int = 64 << 20) { self.capacity = capacity }

    enum Said: Equatable {
        case record(RemoteRecord)
        /// A piece of what comes as a whole later: told once, and not kept.
        case passing(String)
    }

    mutating func said(_ line: String, at time: Date = Date()) -> Said {
        let message = JSONValue(parsing: line, limit: RemoteRecord.largestLine)
        switch message?["type"]?.string {
        case "stream_event": return .passing(line)
        case "control_request":
            if message?["request"]?["subtype"] == "can_use_tool", let id = message?["request_id"]?.string {
                open.insert(id)
            }
        case "control_cancel_request":
            if let id = message?["request_id"]?.string { open.remove(id) }
        default: break
        }
        return .record(keep(line, by: nil, request: nil, time))
    }

    /// A line for the program. nil when it must not have it: the permission was answered, or it has it.
    mutating func give(_ line: String, by: String, request: String?, at time: Date = Date()) -> RemoteRecord? {
        if let request, given.contains(request) { return nil }
        if let message = JSONValue(parsing: line, limit: RemoteRecord.largestLine),
            message["type"] == "control_response", let id = message["response"]?["request_id"]?.string
        {
            guard open.remove(id) != nil || !answered.contains(id) else { return nil }
            answered.insert(id)
        }
        if let request { given.insert(request) }
        return keep(line, by: by, request: request, time)
    }

    func hasGiven(_ request: String) -> Bool { given.contains(request) }

    /// What a server does not have, as far as it is still here.
    func after(_ number: UInt64) -> ArraySlice<RemoteRecord> {
        records[(records.firstIndex { $0.number > number } ?? records.endIndex)...]
    }

    private mutating func keep(_ line: String, by: String?, request: String?, _ time: Date) -> RemoteRecord {
        last += 1
        let record = RemoteRecord(number: last, time: time, by: by, request: request, line: line)
        records.append(record)
        bytes += line.utf8.count
        while bytes > capacity, records.count > 1 { bytes -= records.removeFirst().line.utf8.count }
        return record
    }
}
