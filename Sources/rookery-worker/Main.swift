import Glibc
import Worker

@main
struct Main {
    static func main() {
        exit(WorkerProcess.run())
    }
}
