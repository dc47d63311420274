import Policy

/// What an image may be called.
public enum ImageName {
    /// True for a name that a built image may have: a policy's rules for names, and not `host`.
    public static func isBuilt(_ text: String) -> Bool {
        SessionPolicy.isName(text) && text != SessionPolicy.hostImage
    }

    /// What is wrong with a name, for a person; nil when nothing is.
    public static func problem(with text: String) -> ImageError? {
        if text == SessionPolicy.hostImage {
            return ImageError("'host' is the host's own image, which nobody builds", remedy: "choose another name")
        }
        guard !isBuilt(text) else { return nil }
        return ImageError(
            "'\(text.prefix(64))' is not the name of an image",
            remedy: "use 1 to 64 of a-z, 0-9, '-' and '_', the first a letter or digit")
    }
}
