/// The known word that a mistyped one was probably meant to be.
enum NearestWord {
    /// nil when none is near: at most two letters wrong, missing, too many or swapped, and no more than a third.
    static func of(_ word: String, among known: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().replacing("-", with: "_").utf8)
        guard (2...40).contains(letters.count) else { return nil }
        let most = max(1, min(2, letters.count / 3))
        let near = known.map { ($0, distance(letters, Array($0.utf8))) }.filter { $0.1 <= most }
        return near.min { $0.1 < $1.1 }?.0
    }

    /// Optimal string alignment distance.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var rows = [[Int]](repeating: Array(0...right.count), count: left.count + 1)
        for row in 0..<left.count {
            rows[row + 1][0] = row + 1
            for column in 0..<right.count {
                let change = left[row] == right[column] ? 0 : 1
                var best = min(rows[row][column + 1] + 1, rows[row + 1][column] + 1, rows[row][column] + change)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, rows[row - 1][column - 1] + 1)
                }
                rows[row + 1][column + 1] = best
            }
        }
        return rows[left.count][right.count]
    }
}
