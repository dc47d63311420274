import SessionCore
import Testing

private let small = TerminalSize(cols: 80, rows: 24)
private let large = TerminalSize(cols: 120, rows: 40)

@Suite struct DriverLeaseTests {
    @Test func theFirstWhoMayDrives() throws {
        var lease = DriverLease(size: .standard)
        #expect(lease.attach(1, canDrive: false, wantsToDrive: true, size: large, at: 0) == [])
        #expect(lease.attach(2, canDrive: true, wantsToDrive: false, size: large, at: 0) == [])
        #expect(lease.driver == nil)
        let actions = lease.attach(3, canDrive: true, wantsToDrive: true, size: large, at: 0)
        #expect(actions == [.announce(driver: 3), .resize(large)])
        #expect(lease.attach(4, canDrive: true, wantsToDrive: true, size: small, at: 1) == [])
        #expect(lease.driver == 3)
        #expect(lease.size == large)
    }

    @Test func takingOverTakesTheSizeAlong() throws {
        var lease = DriverLease(size: small)
        _ = lease.attach(1, canDrive: true, wantsToDrive: true, size: small, at: 0)
        _ = lease.attach(2, canDrive: true, wantsToDrive: true, size: small, at: 0)
        #expect(throws: DriverLease.Refusal.notDriver(2, driver: 1)) { try lease.resize(2, to: large, at: 1) }
        #expect(try lease.takeOver(2, canDrive: true, at: 2) == [.announce(driver: 2), .resize(large)])
        #expect(try lease.takeOver(2, canDrive: true, at: 2) == [])
        #expect(throws: DriverLease.Refusal.notDriver(1, driver: 2)) { try lease.resize(1, to: small, at: 3) }
    }

    @Test func refusesWhoMayNot() {
        var lease = DriverLease(size: small)
        _ = lease.attach(1, canDrive: false, wantsToDrive: false, size: nil, at: 0)
        #expect(throws: DriverLease.Refusal.viewOnly(1)) { try lease.takeOver(1, canDrive: false, at: 0) }
        #expect(throws: DriverLease.Refusal.notAttached(9)) { try lease.takeOver(9, canDrive: true, at: 0) }
        #expect(throws: DriverLease.Refusal.notAttached(9)) { try lease.resize(9, to: large, at: 0) }
    }

    @Test func theNewestGoesOnWhenTheDriverLeaves() throws {
        var lease = DriverLease(size: small)
        _ = lease.attach(1, canDrive: true, wantsToDrive: true, size: small, at: 0)
        _ = lease.attach(2, canDrive: true, wantsToDrive: true, size: large, at: 0)
        _ = lease.attach(3, canDrive: false, wantsToDrive: true, size: large, at: 0)
        #expect(lease.detach(3, at: 1) == [])
        #expect(lease.detach(1, at: 2) == [.announce(driver: 2), .resize(large)])
        #expect(lease.detach(2, at: 3) == [.announce(driver: nil)])
        #expect(lease.detach(2, at: 3) == [])
        #expect(lease.size == large)
    }

    @Test func foldsABurstOfSizesIntoTwo() throws {
        var lease = DriverLease(size: small, quiet: 0.05)
        _ = lease.attach(1, canDrive: true, wantsToDrive: true, size: nil, at: 0)
        var actions: [DriverLease.Action] = []
        for step in 0..<20 {
            actions += try lease.resize(1, to: TerminalSize(cols: 81 + step, rows: 24), at: 1 + Double(step) * 0.002)
        }
        #expect(actions == [.resize(TerminalSize(cols: 81, rows: 24)), .settle(at: 1.05)])
        #expect(lease.settle(at: 1.04) == [.settle(at: 1.05)])
        #expect(lease.settle(at: 1.05) == [.resize(TerminalSize(cols: 100, rows: 24))])
        #expect(lease.settle(at: 1.06) == [])
        #expect(try lease.resize(1, to: TerminalSize(cols: 100, rows: 24), at: 2) == [])
    }
}
