import Foundation
import Synchronization

/// Access tokens that soon expire, each for the refresh token that came with the one before (RFC 6749, section 6).
public final class TokenDesk: Sendable {
    private struct State {
        var refreshToken: String
        var accessToken: String?
        /// Messages that the access token is still good for.
        var left = 0
        var count = 0
    }

    private let lasts: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - refreshToken: the first that is taken.
    ///   - lasts: messages until an access token has expired.
    public init(refreshToken: String, lasts: Int) {
        self.lasts = lasts
        state = Mutex(State(refreshToken: refreshToken))
    }

    /// Each refresh token is taken once: whoever comes with it a second time has been logged out.
    /// - Returns: the endpoint's answer; nil when the token is not taken.
    func trade(_ body: Data) -> String? {
        let token = Self.refreshToken(in: body)
        return state.withLock { state in
            guard token == state.refreshToken else { return nil }
            state.count += 1
            let access = "scripted-access-\(state.count)"
            state.accessToken = access
            state.refreshToken = "scripted-refresh-\(state.count)"
            state.left = lasts
            return #"{"access_token":"\#(access)","refresh_token":"\#(state.refreshToken)","token_type":"Bearer"}"#
        }
    }

    /// Whether a request may go on with what its `Authorization` says.
    func takes(_ authorization: String?, isMessage: Bool) -> Bool {
        state.withLock { state in
            guard let token = state.accessToken, authorization == "Bearer \(token)", state.left > 0 else {
                return false
            }
            if isMessage { state.left -= 1 }
            return true
        }
    }

    private static func refreshToken(in body: Data) -> String? {
        if let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any] {
            return object["refresh_token"] as? String
        }
        var form = URLComponents()
        form.percentEncodedQuery = String(decoding: body, as: UTF8.self)
        return form.queryItems?.first { $0.name == "refresh_token" }?.value
    }
}
