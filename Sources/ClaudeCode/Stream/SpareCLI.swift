/// A CLI that is started before its session is known: it boots, and waits to be claimed. The words for it are the CLI's own
/// and undocumented, so they are spoken to the versions that were tried with them and to no other.
public enum SpareCLI {
    /// Goes with ``StreamArguments/all``; it cannot go with a conversation that is resumed or forked.
    public static let argument = "--await-claim"

    /// What was tried: Docs/decisions/0022-spare-sandboxes.md says with what result.
    public static let versions: Set<String> = ["2.1.329"]
}
