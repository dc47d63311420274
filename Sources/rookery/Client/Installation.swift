import Foundation

/// Where this build's programs and files are: beside the executable, and in the checkout or the share directory
/// above it.
struct Installation: Equatable {
    /// The directory of this executable.
    var programs: String
    /// The checkout (it has a `run_cc.sh`), or `<prefix>/share/rookery`; nil when neither is found.
    var root: String?

    var launcher: String { programs + "/rookery-launcher" }
    var worker: String { programs + "/rookery-worker" }
    var initProgram: String { programs + "/rookery-init" }
    var policies: String { file("Policies") }
    var prices: String { file("Ops/prices.json") }
    var startCommand: String { file("run_cc.sh") }
    var page: String { file("Web") }
    var pageAssets: String { file(".deps/web") }

    private func file(_ name: String) -> String { (root ?? programs) + "/" + name }

    /// - Parameter exists: tells whether a path exists; for tests.
    init(executable: String, exists: (String) -> Bool = { FileManager.default.fileExists(atPath: $0) }) {
        programs = (executable as NSString).deletingLastPathComponent
        var directory = programs
        // .build/<triple>/<configuration> is three levels below a checkout.
        for _ in 0..<6 where directory != "/" {
            if exists(directory + "/run_cc.sh") {
                root = directory
                return
            }
            if exists(directory + "/share/rookery/run_cc.sh") {
                root = directory + "/share/rookery"
                return
            }
            directory = (directory as NSString).deletingLastPathComponent
        }
    }

    static func current() -> Installation {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return Installation(executable: link ?? CommandLine.arguments[0])
    }

    /// The Claude Code binary: what the set-up fetched, else what the caller's PATH has.
    func claude(_ environment: [String: String]) -> String? {
        let fetched = file(".deps/bin/claude")
        if FileManager.default.isExecutableFile(atPath: fetched) { return fetched }
        return (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/claude" }.first {
            $0.hasPrefix("/") && FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
