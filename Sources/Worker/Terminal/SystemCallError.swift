import Glibc

/// A system call that failed: which, on what, and why.
struct SystemCallError: Error, CustomStringConvertible {
    var what: String
    var code: Int32

    init(_ what: String, errno code: Int32) {
        self.what = what
        self.code = code
    }

    /// With the calling thread's `errno`.
    init(_ what: String, _ code: Int32) { self.init(what, errno: code) }

    var description: String { "\(what): \(String(cString: strerror(code)))" }
}
