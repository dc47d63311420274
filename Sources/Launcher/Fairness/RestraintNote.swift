/// What of sessions is restrained, noted before it is done: a launcher that is killed meanwhile has a successor that takes
/// it back, and can tell it from what a policy says.
struct RestraintNote: Codable, Equatable {
    /// Names of leaves that are kept to half of the processors.
    var kept: Set<String> = []
    /// Names of those whose disk takes little at a time.
    var slowed: Set<String> = []

    private static let name = "restraint"
    private static let fileName = "restraint.note"
    private static let largest = 4 << 20

    static func read(in records: Directory) -> RestraintNote {
        records.record(fileName, largest: largest) ?? RestraintNote()
    }

    /// In one step.
    /// - Returns: false: it is not written, and what it says must not be done.
    func write(in records: Directory) -> Bool {
        (try? Draft(of: Self.name, in: records).publish(self, as: Self.fileName)) != nil
    }
}
