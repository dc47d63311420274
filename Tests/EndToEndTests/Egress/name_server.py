"""A server of names on a loopback address of its own. Says where names below good.example are, and nothing else, ever.

usage: name_server.py; prints "address <address>".
"""

import random
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    address = "127.0.%d.%d" % (random.randrange(1, 255), random.randrange(1, 255))
    try:
        server.bind((address, 53))
        break
    except OSError:
        continue
print("address", address, flush=True)
while True:
    query, client = server.recvfrom(4096)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].lower())
        at += query[at] + 1
    question = query[12 : at + 5]
    if labels[-2:] != [b"good", b"example"]:
        continue
    isA = question[-4:-2] == b"\x00\x01"
    # A response, recursion available, one question, and one address for a question of type A.
    answer = query[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if isA else b"\x00\x00") + b"\x00\x00\x00\x00" + question
    if isA:
        answer += b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04" + socket.inet_aton("192.0.2.1")
    server.sendto(answer, client)
