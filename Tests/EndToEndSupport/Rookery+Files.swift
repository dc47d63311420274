import Foundation

extension Rookery {
    /// Files of the installation, its state and logs among them, that have the text. The images of sessions' disks are not
    /// searched: nothing gets into a sandbox that its processes do not have.
    package func files(with text: String) -> [String] {
        let files = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return files.filter { name in
            let path = "\(root.path)/\(name)"
            let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
            guard let size, size <= 64 << 20 else { return false }
            return FileManager.default.contents(atPath: path)?.range(of: Data(text.utf8)) != nil
        }
    }
}
