import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat

/// The page's files, read into memory once at start: a request is a look-up by its exact path, so none can reach
/// the disk, and a change on disk counts after a restart.
struct StaticSite: Sendable {
    struct File: Sendable {
        var bytes: ByteBuffer
        var type: String
        /// Strong: a hash of the bytes.
        var tag: String
        var cacheControl: String
    }

    /// All files together; more is a wrong directory.
    static let largest = 64 << 20

    private var files: [String: File] = [:]

    /// No page at all.
    init() {}

    /// - Parameters:
    ///   - directory: served at `/`.
    ///   - vendor: third-party files, served below `/vendor/`.
    init(directory: String?, vendor: String?) throws(APIServerError) {
        if let directory { try read(directory, below: "/", cacheControl: "no-cache") }
        if let vendor { try read(vendor, below: "/vendor/", cacheControl: "public, max-age=86400") }
    }

    private mutating func read(_ directory: String, below prefix: String, cacheControl: String) throws(APIServerError) {
        let root = URL(filePath: directory, directoryHint: .isDirectory).standardizedFileURL
        var total = 0
        let paths: [String]
        do {
            paths = try FileManager.default.subpathsOfDirectory(atPath: root.path)
        } catch {
            throw .badSite(path: directory, reason: "\(error.localizedDescription)")
        }
        for path in paths.sorted() {
            guard !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else { continue }
            let url = root.appending(path: path)
            guard (try? url.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true else { continue }
            guard let data = try? Data(contentsOf: url) else {
                throw .badSite(path: directory, reason: "cannot read \(path)")
            }
            total += data.count
            guard total <= Self.largest else { throw .badSite(path: directory, reason: "it holds more than 64 MiB") }
            let hash = SHA256.hash(data: data).prefix(12).map { String(format: "%02x", $0) }.joined()
            files[prefix + path] = File(
                bytes: ByteBuffer(data: data), type: Self.mediaType(of: path), tag: "\"\(hash)\"",
                cacheControl: cacheControl)
        }
    }

    /// - Parameter path: percent-encoded, as it came.
    func file(at path: String) -> File? {
        guard let decoded = path.removingPercentEncoding else { return nil }
        return files[decoded]
    }

    static func mediaType(of path: String) -> String {
        switch path.split(separator: ".").last?.lowercased() {
        case "html", "htm": "text/html; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "json", "map": "application/json"
        case "webmanifest": "application/manifest+json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "woff": "font/woff"
        case "wasm": "application/wasm"
        case "txt", "md", "license": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}

extension StaticSite.File {
    func response(to request: Request) -> Response {
        let headers: HTTPFields = [.contentType: type, .eTag: tag, .cacheControl: cacheControl]
        let known = request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
        if known.contains(where: { $0.trimmingPrefix(while: { $0 == " " }) == tag || $0.contains("*") }) {
            return Response(status: .notModified, headers: headers)
        }
        let response = Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
        return request.method == .head ? response.createHeadResponse() : response
    }
}
