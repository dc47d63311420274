/// How long a launcher that was killed rests before it is started again.
///
/// One that had answered and lived for a moment was of use: the next starts at once, and the count begins anew, however
/// often that happens. One that dies before it was of any use may do so for ever, and rests longer each time.
public struct RestartPause: Sendable {
    private var next = Self.first

    private static let first = Duration.milliseconds(100)
    /// For one that dies without an answer.
    private static let longest = Duration.seconds(30)
    /// For one that has answered: others' requests come between.
    private static let longestBetweenAnswers = Duration.seconds(1)
    /// A life that is no crash loop's.
    private static let moment = Duration.seconds(1)
    private static let longLife = Duration.seconds(60)

    public init() {}

    /// - Parameters:
    ///   - life: how long the one that was killed had run.
    ///   - hasAnswered: it had carried out a request.
    /// - Returns: the rest before the next start.
    public mutating func rest(after life: Duration, hasAnswered: Bool) -> Duration {
        guard life < (hasAnswered ? Self.moment : Self.longLife) else {
            next = Self.first
            return .zero
        }
        let rest = min(next, hasAnswered ? Self.longestBetweenAnswers : Self.longest)
        next = min(next * 2, Self.longest)
        return rest
    }
}
