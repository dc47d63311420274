public import Registry

/// One address to listen on.
public enum APIListener: Sendable, Hashable {
    /// A name or an address, and a port; 0 takes a free one.
    case tcp(host: String, port: Int)
    /// Path of a Unix socket, at most 107 bytes. TLS never applies to it.
    case unix(path: String)
}

extension APIListener: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Only this box can connect.
    public var isLocal: Bool {
        switch self {
        case .tcp(let host, _): isLoopback(host)
        case .unix: true
        }
    }
}

/// What a listener speaks: everything, told apart by path, or one foreign protocol at its root.
public enum ListenerFace: Sendable, Hashable {
    case all
    /// Any path is claude-socket's.
    case claudeSocket
    /// `/ws` is claude-remote's, and `/api/sessions` lists its sessions only.
    case claudeRemote
    /// `/api/sessions` has Companion's sessions only.
    case companion
}

/// A listener for the clients of one foreign protocol.
public struct DedicatedListener: Sendable, Hashable {
    public var listener: APIListener
    public var face: ListenerFace

    public init(_ listener: APIListener, _ face: ListenerFace) {
        self.listener = listener
        self.face = face
    }
}

/// An address that is listened on, with the port that was really taken.
public struct BoundListener: Sendable, Hashable {
    public var listener: APIListener
    /// `http://127.0.0.1:3000`, `https://…`, or `unix:/path`.
    public var url: String
}

/// How callers prove who they are.
public enum AuthenticationMode: Sendable {
    case token
    /// Everybody is this principal; only while every listener is loopback or a Unix socket.
    case none(Principal)
}

/// The certificate chain and private key of the TCP listeners, as PEM files.
public struct TLSFiles: Sendable, Hashable {
    public var certificate: String
    public var key: String

    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// An OpenAI-compatible server that turns speech into text.
public struct TranscriptionUpstream: Sendable, Hashable {
    /// Of its `/v1/audio/transcriptions`.
    public var url: String
    public var key: String?

    public init(url: String, key: String?) {
        self.url = url
        self.key = key
    }
}

/// What the API server is told at start.
public struct APIConfiguration: Sendable {
    public var listeners: [APIListener]
    /// Beside those, for clients of one protocol.
    public var dedicated: [DedicatedListener] = []
    public var authentication: AuthenticationMode
    public var tls: TLSFiles?
    /// Names beyond loopback and the bind addresses that requests may be for.
    public var allowedHosts: [String]
    /// Origins (`https://host`) beyond the server's own whose pages may use cookies here.
    public var allowedOrigins: [String]
    /// Where recordings of speech go; nil: nowhere.
    public var transcription: TranscriptionUpstream?
    /// Directory of the page; read once at start. nil: no page.
    public var site: String?
    /// Directory served below `/vendor/`.
    public var vendor: String?
    /// Connections at once on one listener; more wait in the backlog.
    public var mostConnections: Int
    /// Sockets that are bound already and stay so when this server ends, by the addresses that they listen on.
    public var bound: [APIListener: Int32] = [:]
    /// Permission bits of Unix sockets.
    public var unixSocketMode: UInt32

    /// All listeners, in their order.
    var allListeners: [DedicatedListener] { listeners.map { DedicatedListener($0, .all) } + dedicated }

    public init(
        listeners: [APIListener], authentication: AuthenticationMode, tls: TLSFiles? = nil,
        allowedHosts: [String] = [], allowedOrigins: [String] = [], site: String? = nil, vendor: String? = nil,
        mostConnections: Int = 4096, unixSocketMode: UInt32 = 0o660
    ) {
        self.listeners = listeners
        self.authentication = authentication
        self.tls = tls
        self.allowedHosts = allowedHosts
        self.allowedOrigins = allowedOrigins
        self.site = site
        self.vendor = vendor
        self.mostConnections = mostConnections
        self.unixSocketMode = unixSocketMode
    }
}
