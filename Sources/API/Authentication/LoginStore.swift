import Foundation
import Registry
import Synchronization

/// Browser logins: a random cookie value to the public id of the token that was shown. The token itself is never
/// kept, and a revoked token ends its logins. In memory: a restart of the supervisor asks browsers to log in again.
final class LoginStore: Sendable {
    static let cookie = "rookery_login"
    static let lifetime: TimeInterval = 7 * 24 * 3600
    static let most = 10_000

    private struct Login {
        var tokenID: String
        var expires: Date
    }

    /// A mutex: look-ups are synchronous and short.
    private let logins = Mutex<[Data: Login]>([:])

    /// Returns the cookie's value and when it ends.
    func open(tokenID: String, now: Date = Date()) -> (value: String, expires: Date) {
        let secret = Secret(prefix: "")
        let expires = now.addingTimeInterval(Self.lifetime)
        logins.withLock { logins in
            if logins.count >= Self.most {
                logins = logins.filter { $0.value.expires > now }
                if logins.count >= Self.most, let oldest = logins.min(by: { $0.value.expires < $1.value.expires }) {
                    logins[oldest.key] = nil
                }
            }
            logins[Secret.hash(secret.text)] = Login(tokenID: tokenID, expires: expires)
        }
        return (secret.text, expires)
    }

    /// Whose login a cookie's value is; nil once it has ended.
    func login(of value: String, now: Date = Date()) -> (tokenID: String, login: Principal.Login)? {
        let key = Secret.hash(value)
        return logins.withLock { logins in
            guard let login = logins[key] else { return nil }
            guard login.expires > now else {
                logins[key] = nil
                return nil
            }
            return (login.tokenID, Principal.Login(id: Self.name(of: key), expires: login.expires))
        }
    }

    func isOpen(_ login: Principal.Login, now: Date = Date()) -> Bool {
        guard login.expires > now, let name = Data(base64Encoded: login.id), !name.isEmpty else { return false }
        return logins.withLock { $0.keys.contains { $0.starts(with: name) } }
    }

    /// Ends a login; returns the name of one that there was.
    @discardableResult
    func close(_ value: String) -> String? {
        let key = Secret.hash(value)
        return logins.withLock { $0.removeValue(forKey: key) == nil ? nil : Self.name(of: key) }
    }

    /// Part of a hash of 256 random bits: says nothing of the cookie.
    private static func name(of key: Data) -> String { key.prefix(9).base64EncodedString() }
}
