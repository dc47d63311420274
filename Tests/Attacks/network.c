#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

static enum verdict made(int domain, int type, int protocol) {
    int file = socket(domain, type | SOCK_CLOEXEC, protocol);
    return refused(file);
}
#define SOCKET(function, domain, type, protocol) \
    static enum verdict function(void) { return made(domain, type, protocol); }
SOCKET(packet, AF_PACKET, SOCK_RAW, 0x0300)
SOCKET(packet_cooked, AF_PACKET, SOCK_DGRAM, 0x0300)
SOCKET(raw_icmp, AF_INET, SOCK_RAW, IPPROTO_ICMP)
SOCKET(raw_tcp, AF_INET, SOCK_RAW, IPPROTO_TCP)
SOCKET(raw_any, AF_INET, SOCK_RAW, IPPROTO_RAW)
SOCKET(raw_six, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
SOCKET(old_packet, AF_INET, SOCK_PACKET, 0)
SOCKET(sctp, AF_INET, SOCK_STREAM, 132)
SOCKET(dccp, AF_INET, 6, 33)
SOCKET(mptcp, AF_INET, SOCK_STREAM, 262)
SOCKET(l2tp, AF_INET, SOCK_DGRAM, 115)
SOCKET(vsock, 40, SOCK_STREAM, 0)
SOCKET(vsock_datagram, 40, SOCK_DGRAM, 0)
SOCKET(bluetooth, 31, SOCK_RAW, 1)
SOCKET(crypto, 38, SOCK_SEQPACKET, 0)
SOCKET(key, 15, SOCK_RAW, 2)
SOCKET(xdp, 44, SOCK_RAW, 0)
SOCKET(can, 29, SOCK_RAW, 1)
SOCKET(tipc, 30, SOCK_RDM, 0)
SOCKET(rds, 21, SOCK_SEQPACKET, 0)
SOCKET(smc, 43, SOCK_STREAM, 0)
SOCKET(kcm, 41, SOCK_DGRAM, 0)
SOCKET(nfc, 39, SOCK_SEQPACKET, 0)
SOCKET(qrtr, 42, SOCK_DGRAM, 0)
SOCKET(ax25, 3, SOCK_DGRAM, 0)
SOCKET(x25, 9, SOCK_SEQPACKET, 0)
SOCKET(appletalk, 5, SOCK_DGRAM, 0)
SOCKET(pppox, 24, SOCK_STREAM, 0)
SOCKET(mctp, 45, SOCK_DGRAM, 0)
SOCKET(netfilter, AF_NETLINK, SOCK_RAW, 12)
SOCKET(audit, AF_NETLINK, SOCK_RAW, 9)
SOCKET(uevents, AF_NETLINK, SOCK_DGRAM, 15)
SOCKET(connector, AF_NETLINK, SOCK_DGRAM, 11)
SOCKET(xfrm, AF_NETLINK, SOCK_RAW, 6)
SOCKET(diagnostics, AF_NETLINK, SOCK_DGRAM, 4)
SOCKET(generic, AF_NETLINK, SOCK_RAW, 16)
SOCKET(crypto_netlink, AF_NETLINK, SOCK_RAW, 21)
SOCKET(scsi_transport, AF_NETLINK, SOCK_RAW, 18)
SOCKET(selinux, AF_NETLINK, SOCK_RAW, 7)

static enum verdict high_bits(void) {
    long result = syscall(41, 0x100000000L | AF_PACKET, (long)SOCK_RAW, 0L);
    return refused(result);
}

static enum verdict vsock_pair(void) {
    int pair[2];
    return refused(socketpair(40, SOCK_STREAM, 0, pair));
}

/// Connecting must fail at once: there is no way to the address.
static enum verdict reach(int domain, const char *text, int port_number, int type) {
    int file = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0) return refused(file);
    int result;
    if (domain == AF_INET) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_number)};
        inet_pton(AF_INET, text, &address.sin_addr);
        result = connect(file, (struct sockaddr *)&address, sizeof address);
    } else {
        struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port_number)};
        inet_pton(AF_INET6, text, &address.sin6_addr);
        result = connect(file, (struct sockaddr *)&address, sizeof address);
    }
    int error = errno;
    close(file);
    say("%s", result == 0 ? "connected" : strerror(error));
    return result < 0 && (error == ENETUNREACH || error == EADDRNOTAVAIL || error == EHOSTUNREACH || error == EACCES ||
                          error == EPERM)
               ? HELD
               : BREACH;
}
static enum verdict internet(void) { return reach(AF_INET, "1.1.1.1", 443, SOCK_STREAM); }
static enum verdict name_server(void) { return reach(AF_INET, "8.8.8.8", 53, SOCK_DGRAM); }
static enum verdict metadata(void) { return reach(AF_INET, "169.254.169.254", 80, SOCK_STREAM); }
static enum verdict private_network(void) { return reach(AF_INET, "10.0.0.1", 22, SOCK_STREAM); }
static enum verdict docker_bridge(void) { return reach(AF_INET, "172.17.0.1", 22, SOCK_STREAM); }
static enum verdict multicast(void) { return reach(AF_INET, "224.0.0.251", 5353, SOCK_DGRAM); }
static enum verdict internet_six(void) { return reach(AF_INET6, "2606:4700:4700::1111", 443, SOCK_STREAM); }
static enum verdict mapped_four(void) { return reach(AF_INET6, "::ffff:1.1.1.1", 443, SOCK_STREAM); }

static enum verdict host_loopback(void) {
    if (targets.port[0] == '\0') return ABSENT;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(targets.port))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int result = connect(file, (struct sockaddr *)&address, sizeof address);
    if (result < 0 && errno == ECONNREFUSED) errno = EPERM;
    enum verdict verdict = refused(result);
    close(file);
    return verdict;
}

static enum verdict connect_unix(const struct sockaddr_un *address, socklen_t length) {
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(file, (const struct sockaddr *)address, length);
    if (result < 0 && errno == ECONNREFUSED) errno = ENOENT;
    enum verdict verdict = unreachable(result);
    close(file);
    return verdict;
}

static enum verdict abstract_socket(void) {
    if (targets.abstract[0] == '\0') return ABSENT;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(targets.abstract);
    memcpy(address.sun_path + 1, targets.abstract, length);
    return connect_unix(&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
}

static enum verdict path_socket(void) {
    if (targets.socket[0] == '\0') return ABSENT;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, targets.socket, sizeof address.sun_path - 1);
    return connect_unix(&address, sizeof address);
}

static enum verdict abstract_list(void) {
    char text[65536];
    if (read_text("/proc/net/unix", text, sizeof text) < 0) return unreachable(-1);
    if (targets.abstract[0] != '\0' && strstr(text, targets.abstract) != NULL) {
        say("the host's sockets are listed");
        return BREACH;
    }
    say("only own ones");
    return HELD;
}

static enum verdict interfaces(void) {
    struct if_nameindex *list = if_nameindex();
    if (list == NULL) return refused(-1);
    enum verdict verdict = HELD;
    say("lo only");
    for (struct if_nameindex *entry = list; entry->if_index != 0; entry++) {
        if (strcmp(entry->if_name, "lo") == 0) continue;
        // Some kernels make these, down and without address, in every new namespace.
        if (strncmp(entry->if_name, "tunl", 4) == 0 || strncmp(entry->if_name, "sit", 3) == 0 ||
            strncmp(entry->if_name, "ip6", 3) == 0 || strncmp(entry->if_name, "gre", 3) == 0 ||
            strncmp(entry->if_name, "erspan", 6) == 0 || strncmp(entry->if_name, "ip_vti", 6) == 0)
            continue;
        say("%s", entry->if_name);
        verdict = BREACH;
    }
    if_freenameindex(list);
    return verdict;
}

static enum verdict loopback_down(void) {
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq wanted = {.ifr_name = "lo"};
    int result = ioctl(file, SIOCSIFFLAGS, &wanted);
    enum verdict verdict = refused(result);
    close(file);
    return verdict;
}

static enum verdict add_address(void) {
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq wanted = {.ifr_name = "lo:1"};
    struct sockaddr_in *address = (struct sockaddr_in *)&wanted.ifr_addr;
    address->sin_family = AF_INET;
    inet_pton(AF_INET, "10.9.9.9", &address->sin_addr);
    int result = ioctl(file, SIOCSIFADDR, &wanted);
    enum verdict verdict = refused(result);
    close(file);
    return verdict;
}

static enum verdict add_route(void) {
    int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (file < 0) return refused(file);
    struct {
        struct nlmsghdr header;
        struct ifinfomsg body;
    } message = {
        .header = {.nlmsg_len = sizeof message, .nlmsg_type = RTM_NEWLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL}};
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } answer = {0};
    if (send(file, &message, sizeof message, 0) < 0 || recv(file, &answer, sizeof answer, 0) < 0) return refused(-1);
    close(file);
    errno = -answer.error.error;
    return refused(answer.error.error < 0 ? -1 : 0);
}

static enum verdict option(int level, int name, const void *value, socklen_t size, int domain, int type) {
    int file = socket(domain, type | SOCK_CLOEXEC, 0);
    if (file < 0) return refused(file);
    int result = setsockopt(file, level, name, value, size);
    if (result < 0 && errno == ENOPROTOOPT) errno = EPERM;
    enum verdict verdict = refused(result);
    close(file);
    return verdict;
}
static const int one = 1, large = 1 << 30;
static enum verdict mark(void) { return option(SOL_SOCKET, SO_MARK, &one, sizeof one, AF_INET, SOCK_DGRAM); }
static enum verdict force_buffer(void) {
    return option(SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large, AF_INET, SOCK_DGRAM);
}
static enum verdict debug_option(void) { return option(SOL_SOCKET, SO_DEBUG, &one, sizeof one, AF_INET, SOCK_STREAM); }
static enum verdict transparent(void) {
    return option(IPPROTO_IP, 19 /* IP_TRANSPARENT */, &one, sizeof one, AF_INET, SOCK_STREAM);
}
static char table[128];
static enum verdict firewall(void) {
    return option(IPPROTO_IP, 64 /* IPT_SO_SET_REPLACE */, table, sizeof table, AF_INET, SOCK_STREAM);
}

static enum verdict low_port(void) {
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    int result = bind(file, (struct sockaddr *)&address, sizeof address);
    enum verdict verdict = refused(result);
    close(file);
    return verdict;
}

static enum verdict take_port(void) {
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(3128)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int result = bind(file, (struct sockaddr *)&address, sizeof address);
    if (result == 0 && listen(file, 1) == 0) {
        // bwrap has no such port: then there is nothing to take.
        close(file);
        return targets.mode[0] == '\0' ? ABSENT : refused(0);
    }
    say("%s", strerror(errno));
    close(file);
    return HELD;
}

static const struct probe probes[] = {
    {"packet socket", "refused", packet},
    {"cooked packet socket", "refused", packet_cooked},
    {"packet socket, high bits", "refused", high_bits},
    {"raw ICMP", "refused", raw_icmp},
    {"raw TCP", "refused", raw_tcp},
    {"raw IP", "refused", raw_any},
    {"raw ICMPv6", "refused", raw_six},
    {"SOCK_PACKET", "refused", old_packet},
    {"SCTP", "refused", sctp},
    {"DCCP", "refused", dccp},
    {"MPTCP", "refused", mptcp},
    {"L2TP", "refused", l2tp},
    {"vsock", "refused", vsock},
    {"vsock datagram", "refused", vsock_datagram},
    {"vsock pair", "refused", vsock_pair},
    {"bluetooth", "refused", bluetooth},
    {"kernel crypto", "refused", crypto},
    {"key management", "refused", key},
    {"XDP", "refused", xdp},
    {"CAN", "refused", can},
    {"TIPC", "refused", tipc},
    {"RDS", "refused", rds},
    {"SMC", "refused", smc},
    {"KCM", "refused", kcm},
    {"NFC", "refused", nfc},
    {"QRTR", "refused", qrtr},
    {"AX.25", "refused", ax25},
    {"X.25", "refused", x25},
    {"AppleTalk", "refused", appletalk},
    {"PPPoX", "refused", pppox},
    {"MCTP", "refused", mctp},
    {"netlink netfilter (CVE-2024-1086)", "refused", netfilter},
    {"netlink audit", "refused", audit},
    {"netlink uevents", "refused", uevents},
    {"netlink connector", "refused", connector},
    {"netlink xfrm", "refused", xfrm},
    {"netlink diagnostics", "refused", diagnostics},
    {"netlink generic", "refused", generic},
    {"netlink crypto", "refused", crypto_netlink},
    {"netlink SCSI", "refused", scsi_transport},
    {"netlink SELinux", "refused", selinux},
    {"reach the internet", "no route", internet},
    {"reach a name server", "no route", name_server},
    {"reach the metadata service", "no route", metadata},
    {"reach a private network", "no route", private_network},
    {"reach a bridge of the host", "no route", docker_bridge},
    {"multicast", "no route", multicast},
    {"reach the internet by IPv6", "no route", internet_six},
    {"mapped IPv4", "no route", mapped_four},
    {"the host's loopback", "another one", host_loopback},
    {"abstract socket of the host (CVE-2020-15257)", "not there", abstract_socket},
    {"socket of the host by its path", "not there", path_socket},
    {"/proc/net/unix", "own sockets", abstract_list},
    {"interfaces", "lo only", interfaces},
    {"take the loopback down", "refused", loopback_down},
    {"add an address", "refused", add_address},
    {"add an interface by netlink", "refused", add_route},
    {"SO_MARK", "refused", mark},
    {"SO_RCVBUFFORCE", "refused", force_buffer},
    {"SO_DEBUG", "refused", debug_option},
    {"IP_TRANSPARENT", "refused", transparent},
    {"replace the firewall's table", "refused", firewall},
    {"bind a privileged port", "refused", low_port},
    {"take over the listener's port", "in use", take_port},
};

const struct family network = {"network", probes, COUNT(probes), NULL, 0};
