import Foundation

/// What must not stand on a command line, where others could see it.
enum SecretInput {
    private static let longest = 256 << 10

    /// Without space and line ends around it. - Parameter file: '-' is standard input.
    static func text(of file: String) throws -> String {
        let data: Data
        if file == "-" {
            data = FileHandle.standardInput.readDataToEndOfFile()
        } else {
            guard let contents = FileManager.default.contents(atPath: file) else {
                throw Failure.usage("\(file) cannot be read")
            }
            data = contents
        }
        return String(decoding: data.prefix(longest), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
