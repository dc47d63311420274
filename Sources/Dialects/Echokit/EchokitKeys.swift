/// What echokit's messages type into a terminal.
public enum EchokitKeys {
    /// Between typed text, or the arrows of a `select`, and Enter; in milliseconds.
    public static let pause: Int64 = 500
    public static let cancel: [UInt8] = [0x1b]
    public static let confirm: [UInt8] = [0x0d]

    /// `index` times arrow down; Enter follows after ``pause``.
    public static func select(_ index: Int) -> [UInt8] {
        Array(repeatElement([0x1b, 0x5b, 0x42], count: index).joined())
    }
    /// Seconds from the moment a dialog is known of until it takes keys: measured, 0.6 s suffice after it is drawn.
    public static let dialogPause = 0.8
}
