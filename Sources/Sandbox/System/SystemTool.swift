import Glibc

/// A small program of the system, run for its exit and for what it complains of.
enum SystemTool {
    /// - Parameter milliseconds: how long it may take; nil: as long as it takes.
    /// - Returns: the first KiB of its standard error with the exit.
    static func run(
        _ path: String, _ arguments: [String], environment: [String] = [], within milliseconds: Int32? = nil
    ) throws(SystemError) -> (exit: ChildProcess.Exit, complaints: String) {
        let (read, write) = try DescriptorMessages.pipe()
        var spawn = Spawn(
            program: try Spawn.open(program: path), arguments: [path] + arguments, environment: environment)
        spawn.standardError = write
        let child: ChildProcess
        do { child = try spawn.start() } catch { throw SystemError(call: error.stage, errno: error.errno) }
        let exit: ChildProcess.Exit?
        if let milliseconds {
            exit = try child.waitForExit(milliseconds: milliseconds)
        } else {
            exit = try child.waitForExit()
        }
        guard let exit else {
            child.kill()
            throw SystemError(call: path, errno: ETIMEDOUT)
        }
        var bytes = [UInt8](repeating: 0, count: 1024)
        // One that says nothing has left the pipe empty, and open here.
        _ = fcntl(read.number, F_SETFL, O_NONBLOCK)
        let count = Glibc.read(read.number, &bytes, bytes.count)
        return (exit, String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    }
}
