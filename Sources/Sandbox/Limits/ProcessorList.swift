/// Processors by their numbers, read and written as the kernel does: `0-3,8` (cpuset(7), "List format").
public struct ProcessorList: Sendable, Hashable {
    /// Rising, none twice.
    let numbers: [Int]

    /// More than any kernel has.
    private static let most = 8192

    init(_ numbers: some Sequence<Int>) { self.numbers = Set(numbers).sorted() }

    /// nil for what is no list, and for an empty one.
    init?(parsing text: some StringProtocol) {
        var numbers: [Int] = []
        for range in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                first >= 0, first <= last, last < Self.most
            else { return nil }
            numbers += first...last
        }
        guard !numbers.isEmpty else { return nil }
        self.init(numbers)
    }

    var count: Int { numbers.count }

    func intersection(_ other: ProcessorList) -> ProcessorList {
        ProcessorList(Set(numbers).intersection(other.numbers))
    }

    /// Half of these, rounded down: those with the highest numbers.
    var upperHalf: ProcessorList { ProcessorList(numbers.suffix(count / 2)) }

    /// `count` of these, those first that fewest of the others are on, and among equals the lowest.
    func leastUsed(_ count: Int, besides others: [ProcessorList]) -> ProcessorList {
        var uses: [Int: Int] = [:]
        for number in others.flatMap(\.numbers) { uses[number, default: 0] += 1 }
        let order = numbers.sorted { (uses[$0] ?? 0, $0) < (uses[$1] ?? 0, $1) }
        return ProcessorList(order.prefix(count))
    }
}

extension ProcessorList: CustomStringConvertible {
    public var description: String {
        var ranges: [(first: Int, last: Int)] = []
        for number in numbers {
            if let last = ranges.last?.last, last + 1 == number {
                ranges[ranges.count - 1].last = number
            } else {
                ranges.append((number, number))
            }
        }
        return ranges.map { $0 == $1 ? "\($0)" : "\($0)-\($1)" }.joined(separator: ",")
    }
}
