import Registry
import WorkerControl

extension ClientCredential {
    /// What a caller was let in by; nil for one that nothing can be taken back from.
    init?(_ principal: Principal) {
        if let share = principal.share {
            self.init(share: share.id, expires: share.expires)
        } else if let tokenID = principal.tokenID {
            self.init(token: tokenID, login: principal.login?.id, expires: principal.login?.expires)
        } else {
            return nil
        }
    }
}
