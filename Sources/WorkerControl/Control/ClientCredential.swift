public import Foundation

/// What a client was let in by, by names that are no secrets: enough to find the client again when it is taken back.
public struct ClientCredential: Codable, Sendable, Hashable {
    /// Public id of the token, also of the one behind a ticket or a login.
    public var token: String?
    /// The browser login, by a name of its own.
    public var login: String?
    /// The share link.
    public var share: String?
    /// When it ends by itself.
    public var expires: Date?

    public init(token: String? = nil, login: String? = nil, share: String? = nil, expires: Date? = nil) {
        self.token = token
        self.login = login
        self.share = share
        self.expires = expires
    }

    /// Every name that a change may be for.
    public var names: Set<CredentialName> {
        var names: Set<CredentialName> = []
        if let token { names.insert(.token(token)) }
        if let login { names.insert(.login(login)) }
        if let share { names.insert(.share(share)) }
        return names
    }
}

/// One credential.
public enum CredentialName: Codable, Sendable, Hashable {
    case token(String)
    case login(String)
    case share(String)
}

/// What clients with a credential may do from now on.
public struct CredentialChange: Codable, Sendable, Hashable {
    public var name: CredentialName
    /// nil: nothing any more, their connections are closed.
    public var access: ClientAccess?
    /// For the client, such as `the token was revoked`.
    public var reason: String

    public init(_ name: CredentialName, access: ClientAccess?, reason: String) {
        self.name = name
        self.access = access
        self.reason = reason
    }
}

/// The WebSocket close code of a client whose credential is worth nothing any more: what 401 is to a request.
public enum RevokedClose {
    public static let code: UInt16 = 4401
}
