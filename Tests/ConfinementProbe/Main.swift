import Confinement
import Glibc

/// Confines itself as a worker does and then tries what a worker that was taken over would: one line a try, its name
/// and the errno, 0 when it was let through. `confinement-probe DIRECTORY`: everything but DIRECTORY/own is closed.
/// A second argument names one try that should end the process.
@main
struct Probe {
    static func main() throws {
        let directory = CommandLine.arguments[1]
        let confinement = Confinement(
            files: FileRules(readable: FileRules.system, writable: ["\(directory)/own"]), ports: .none)
        let gaps = try confinement.apply()
        if CommandLine.arguments.count > 2 { return try fatal(CommandLine.arguments[2]) }
        for gap in gaps { print("gap \(gap)") }
        for attempt in Attempt.all(directory) {
            errno = 0
            let result = attempt.body()
            print("\(attempt.name) \(result < 0 ? errno : 0)")
        }
    }

    /// Calls by another architecture's numbers. Comes back only where nothing stops it.
    private static func fatal(_ name: String) throws {
        switch name {
        case "x32": _ = systemCall(0x4000_0000 + 39, 0, 0, 0, 0, 0, 0)
        case "i386":
            // mov eax, 20 (getpid); int 0x80; ret
            let code: [UInt8] = [0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]
            guard
                let memory = mmap(
                    nil, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | Int32(MAP_ANONYMOUS), -1, 0),
                memory != MAP_FAILED
            else { return }
            memory.copyMemory(from: code, byteCount: code.count)
            _ = unsafeBitCast(memory, to: (@convention(c) () -> Int32).self)()
        default: break
        }
        print("survived")
    }
}

/// syscall(2), whose variable arguments Swift does not take.
@_silgen_name("syscall")
func systemCall(_ number: Int, _ a: Int, _ b: Int, _ c: Int, _ d: Int, _ e: Int, _ f: Int) -> Int
