import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

/// Disk limits by images, with real loop devices.
@Suite struct DiskTests {
    static let isPossible =
        Stage.isRoot && DiskTool.make.path != nil && access("/dev/loop-control", R_OK | W_OK) == 0

    /// A session whose files may have 24 MiB and 512 inodes.
    static func request(_ id: SessionID, slot: Int, start: String) -> LaunchRequest {
        var request = LaunchRequest.plain(id, slot: slot, start: start)
        request.rules.limits.disk = .mebibytes(24)
        request.rules.limits.inodes = 512
        return request
    }

    /// The workspace of a session that runs, through its own view.
    static func inside(_ session: LaunchedSession, _ path: String) -> String {
        "/proc/\(session.sandboxPID)/root/\(path)"
    }

    static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// What the superblock says of the filesystem's last end: unmounted, and without errors.
    static func isClean(_ image: String) -> Bool? {
        let file = open(image, O_RDONLY)
        defer { close(file) }
        var state: [UInt8] = [0, 0]
        return pread(file, &state, 2, 1024 + 58) == 2 ? state[0] & 3 == 1 : nil
    }

    static func devices(of id: SessionID) -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? [])
            .filter { text("/sys/block/\($0)/loop/backing_file")?.contains(id.description) == true }.count
    }

    static let fill = """
        #!/bin/bash
        if [ -e /workspace/mark ]; then echo again >> /workspace/mark; exec sleep 600; fi
        head -c 64M /dev/zero > /workspace/big 2>/workspace/error; head -c 1M /dev/zero > /home/agent/more 2>/tmp/error
        full=$?; size=$(stat -c %s /workspace/big); rm /workspace/big /home/agent/more
        n=0; while [ $n -lt 2000 ] && : 2>/dev/null > /workspace/f$n; do n=$((n+1)); done; rm -f /workspace/f*
        echo "full $full size $size files $n" > /workspace/mark
        exec sleep 600
        """

    @Test(.enabled(if: isPossible)) func theDiskLimitHoldsForWorkspaceAndHomeTogether() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let start = try stage.scratch.script("start", Self.fill)
            let request = Self.request(id, slot: Stage.slot(), start: start)
            let session = try await stage.launcher.launch(request)
            let disk = try #require(session.limits.first { $0.name == "disk" })
            #expect(disk.enforced == "24MiB" && disk.by == "loop-image" && disk.note == nil)
            let inodes = try #require(session.limits.first { $0.name == "inodes" }?.enforced.flatMap { Int($0) })

            let mark = Self.inside(session, "workspace/mark")
            #expect(await eventually { Self.text(mark)?.hasSuffix("\n") == true })
            let words = (Self.text(mark) ?? "").split(whereSeparator: \.isWhitespace)
            #expect(words.first == "full" && words[1] != "0", "\(words)")
            let size = Int(words[3]) ?? 0
            #expect(size > 16 << 20 && size < 24 << 20)
            let files = Int(words[5]) ?? 0
            #expect(files > 100 && files < inodes)

            // Nobody else sees it, and nobody else can touch the image.
            #expect(Self.text("/proc/self/mountinfo")?.contains("\(id)") == false)
            #expect(!stage.launcher.mounts.contains("\(id)"))
            #expect(!stage.scratch.exists("state/sessions/\(id)/workspace"))
            #expect(!stage.scratch.exists("run/launcher/\(id).disk"))
            let image = try #require(stage.scratch.status("state/disks/\(id).img"))
            #expect(image.st_mode & 0o777 == 0o600 && image.st_uid == 0)
            #expect(stage.scratch.status("state/disks").map { $0.st_mode & 0o777 } == 0o700)

            // Parked: the mount goes, the image stays, and what was in it comes back.
            #expect(try await stage.launcher.clean(id))
            #expect(await eventually { Self.devices(of: id) == 0 })
            await stage.expectNothingLeft(of: id, directories: true)
            let again = try await stage.launcher.launch(request)
            #expect(await eventually { Self.text(Self.inside(again, "workspace/mark"))?.contains("again") == true })

            #expect(try await stage.launcher.clean(id))
            guard case .done = try await stage.launcher.ask(.remove(RemoveRequest(sessionID: id, keepWorkspace: true)))
            else {
                Issue.record("not removed")
                return
            }
            #expect(stage.scratch.exists("state/disks/\(id).img"))
            let kept = try await stage.launcher.launch(request)
            #expect(await eventually { Self.text(Self.inside(kept, "workspace/mark"))?.contains("again") == true })
            #expect(!FileManager.default.fileExists(atPath: Self.inside(kept, "home/agent/more")))
            #expect(try await stage.launcher.clean(id))
            _ = try await stage.launcher.ask(.remove(RemoveRequest(sessionID: id, keepWorkspace: false)))
            #expect(!stage.scratch.exists("state/disks/\(id).img"))
            await stage.expectNothingLeft(of: id, directories: false)
            #expect(await eventually { Self.devices(of: id) == 0 })
        }
    }

    @Test(.enabled(if: isPossible)) func aSessionsDiskOutlivesItsLauncherAndIsRepairedAfterACrash() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let start = try stage.scratch.script("start", Self.fill)
            let request = Self.request(id, slot: Stage.slot(), start: start)
            let session = try await stage.launcher.launch(request)
            #expect(await eventually { Self.text(Self.inside(session, "workspace/mark"))?.isEmpty == false })
            // What a loss of power would leave: the image of a filesystem in use.
            sync()
            let image = "\(stage.scratch.path)/state/disks/\(id).img"
            try FileManager.default.copyItem(atPath: image, toPath: image + ".copy")
            stage.launcher.kill()
            kill(session.workerPID, SIGKILL)

            let next = try RunningLauncher(stage.scratch, .root(service: Stage.service))
            guard case .swept(let swept) = try await next.ask(.sweep(SweepRequest(live: []))) else {
                Issue.record("no answer to sweep")
                return
            }
            #expect(swept == [id])
            #expect(await eventually { Self.devices(of: id) == 0 })
            #expect(rename(image + ".copy", image) == 0)
            #expect(Self.isClean(image) == false)
            let again = try await next.launch(request)
            #expect(await eventually { Self.text(Self.inside(again, "workspace/mark"))?.contains("again") == true })
            #expect(try await next.clean(id))
            #expect(await eventually { Self.devices(of: id) == 0 && Self.isClean(image) == true })
            _ = try await next.ask(.remove(RemoveRequest(sessionID: id, keepWorkspace: false)))
            _ = await next.stop()
        }
    }

    @Test(.enabled(if: isPossible)) func aPlainDirectoryFromBeforeKeepsWorkingAndIsReportedAsUnbounded() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let (slot, start) = (Stage.slot(), try stage.waitingScript())
            _ = try await stage.launcher.launch(.plain(id, slot: slot, start: start))
            #expect(await eventually { stage.scratch.exists("state/sessions/\(id)/workspace/mark") })
            #expect(try await stage.launcher.clean(id))
            var request = Self.request(id, slot: slot, start: start)
            let session = try await stage.launcher.launch(request)
            let disk = try #require(session.limits.first { $0.name == "disk" })
            #expect(disk.asked == "24MiB" && disk.enforced == nil && disk.note?.contains("from before") == true)
            #expect(stage.scratch.exists("state/sessions/\(id)/workspace/mark"))
            #expect(try await stage.launcher.clean(id))

            request.rules.required = ["disk"]
            let failure = try await stage.launcher.failure(.launch(request))
            #expect(failure?.step == "require disk")
            #expect(failure?.message.contains("from before") == true && failure?.remedy.isEmpty == false)
            await stage.expectNothingLeft(of: id, directories: true)
        }
    }

    @Test(.enabled(if: isPossible)) func aFailedStartLeavesNoImage() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let bad = try stage.scratch.script("bad", "#!/nonexistent/interpreter\n")
            #expect(
                try await stage.launcher.failure(.launch(Self.request(id, slot: Stage.slot(), start: bad)))?.step
                    .hasPrefix("exec") == true)
            #expect(!stage.scratch.exists("state/disks/\(id).img"))
            #expect(await eventually { Self.devices(of: id) == 0 })
            await stage.expectNothingLeft(of: id, directories: false)
        }
    }

    @Test func rootlessSaysThatNothingHoldsTheDiskAndRefusesWhereItMust() async throws {
        try await Stage.with(rootless: true) { stage in
            let id = SessionID()
            var request = Self.request(id, slot: Stage.slot(), start: try stage.waitingScript())
            let session = try await stage.launcher.launch(request)
            let disk = try #require(session.limits.first { $0.name == "disk" })
            #expect(disk.enforced == nil && disk.note?.contains("rootless") == true)
            #expect(try await stage.launcher.clean(id))
            let other = SessionID()
            request.sessionID = other
            request.rules.required = ["disk"]
            #expect(try await stage.launcher.failure(.launch(request))?.step == "require disk")
            await stage.expectNothingLeft(of: other, directories: false)
        }
    }

    @Test(.enabled(if: isPossible)) func anImageOfSomebodyElseIsNotMounted() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            // Once it has answered, its directories are there.
            _ = try await stage.launcher.ask(.capabilities)
            let path = "\(stage.scratch.path)/state/disks/\(id).img"
            #expect(FileManager.default.createFile(atPath: path, contents: Data(count: 1 << 20)))
            chown(path, Stage.service, Stage.service)
            let failure = try await stage.launcher.failure(
                .launch(Self.request(id, slot: Stage.slot(), start: try stage.waitingScript())))
            #expect(failure?.step == "disk" && failure?.errno == EPERM)
        }
    }
}
