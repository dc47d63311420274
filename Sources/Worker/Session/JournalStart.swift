import Foundation
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// Opens the session's journal before anything else of the session is touched.
enum JournalStart {
    /// nil when the launcher gave none. A journal that is damaged starts no session: its files stay as they are.
    static func open(
        _ configuration: WorkerConfiguration, on loop: any EventLoop, _ logger: Logger
    ) throws(JournalError) -> Journal? {
        guard let directory = configuration.descriptors.journal else {
            logger.notice("the launcher gave no journal: the session's log is in memory alone")
            return nil
        }
        let rules = configuration.journal ?? JournalRules()
        let options = Journal.Options(
            sessionID: configuration.sessionID, incarnation: configuration.incarnation,
            firstSequence: configuration.firstSequence, outputLimit: configuration.logBytes,
            limits: JournalLimits(bytes: Int(clamping: rules.bytes.bytes), age: rules.age?.seconds))
        let journal = try Journal(options, directory: directory, on: loop)
        journal.onTrouble = { logger.error("trouble with the session's journal", metadata: ["error": "\($0)"]) }
        if let cut = journal.recovery.cut {
            logger.warning(
                "the journal's torn end was cut off",
                metadata: ["segment": "\(cut.segment)", "at": "\(cut.offset)", "bytes": "\(cut.bytes)"])
        }
        return journal
    }
}
