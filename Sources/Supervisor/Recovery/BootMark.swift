import Foundation

/// Which boot of the host a supervisor ran in last: `<state>/boot-id`.
struct BootMark {
    let path: String

    init(stateDirectory: String) { path = "\(stateDirectory)/boot-id" }

    /// Writes down this boot; true when the last supervisor was of another one. False on the first start of all.
    func renew() -> Bool {
        func read(_ path: String) -> String? {
            (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard let current = read("/proc/sys/kernel/random/boot_id") else { return false }
        let last = read(path)
        guard last != current else { return false }
        try? (current + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return last != nil
    }
}
