/// Why the API server cannot run. The text names the address or file and what to do.
public enum APIServerError: Error, Sendable, Hashable {
    case noListeners
    /// `--auth none` with a listener that others can reach.
    case openWithoutAuthentication(APIListener)
    case addressInUse(APIListener)
    case cannotListen(APIListener, errno: Int32, reason: String)
    case pathTooLong(path: String, bytes: Int)
    case badCertificate(TLSFiles, reason: String)
    case badSite(path: String, reason: String)
}

extension APIServerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noListeners: "there is no address to listen on; give one with --bind"
        case .openWithoutAuthentication(let listener):
            "without authentication the server listens only on loopback and Unix sockets, but \(listener) is open to "
                + "others; bind 127.0.0.1 or use --auth token"
        case .addressInUse(let listener):
            switch listener {
            case .tcp:
                "\(listener) is in use by another process; stop it ('ss -ltnp' shows it) or choose another --bind"
            case .unix(let path):
                "\(path) belongs to a server that is running; stop it or choose another --bind"
            }
        case .cannotListen(let listener, _, let reason):
            "cannot listen on \(listener): \(reason); check that the address belongs to this machine and that the port "
                + "or directory is permitted"
        case .pathTooLong(let path, let bytes):
            "the socket path \(path) has \(bytes) bytes, a Unix socket's path at most 107; choose a shorter one"
        case .badCertificate(let files, let reason):
            "cannot use the certificate \(files.certificate) with the key \(files.key): \(reason)"
        case .badSite(let path, let reason): "cannot read the page's directory \(path): \(reason)"
        }
    }
}
