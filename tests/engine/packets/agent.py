"""What acts in one network namespace of the packet lab: it listens, tries, forges and counts, as the scenario asks.

A line of JSON in is a request {"id", "op", …}; a line out is its answer {"id", "result"} or {"id", "error"}. It ends with its input.
"""

import asyncio
import json
import os
import resource
import socket
import struct
import sys

from forging import arp, arp_answerer, checksum, forge

NAME = sys.argv[1]
IP_PKTINFO = 8
ICMP_ECHO_REQUEST = 8
# No connection outlives its try: one that waits for stray packets would be in the way of the next from the same port.
ABORT = struct.pack("ii", 1, 0)
# Where the kernel's struct tcp_info has tcpi_total_retrans.
TCP_TOTAL_RETRANS = 100
FILES = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536)
# Tries at once: listeners and answers need files too.
AT_ONCE = FILES // 2

seen = set()
keep = []
halted = asyncio.Event()


def note(protocol, peer, local, port):
    """What came in: whoever sent it, and to which of this namespace's addresses."""
    seen.add(f"{protocol} {peer[0].split('%')[0]} {peer[1]} {local.split('%')[0]} {port}")


def on_tcp(listener, port):
    while True:
        try:
            connection, peer = listener.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return
        with connection:
            try:
                note("tcp", peer, connection.getsockname()[0], port)
                connection.send(f"{NAME} {peer[0]}".encode())
            except OSError:
                pass


def on_udp(server, port, family):
    while True:
        try:
            data, ancillary, _, peer = server.recvmsg(2048, 256)
        except (BlockingIOError, InterruptedError, ConnectionRefusedError):
            return
        local, extra = "", []
        for level, kind, value in ancillary:
            if family == socket.AF_INET and level == socket.SOL_IP and kind == IP_PKTINFO:
                local = socket.inet_ntoa(value[8:12])
                # The answer leaves from the address that was asked, as a service's would.
                extra = [(level, kind, struct.pack("=I4s4s", 0, value[8:12], value[8:12]))]
        note("udp", peer, local, port)
        try:
            server.sendmsg([f"{NAME} {peer[0]} ".encode() + data], extra, 0, peer)
        except OSError:
            pass


def listen(loop, request):
    for family in (socket.AF_INET, socket.AF_INET6):
        wildcard = "0.0.0.0" if family == socket.AF_INET else "::"
        for protocol, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
            for port in request[protocol]:
                server = socket.socket(family, kind)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                server.bind((wildcard, port))
                server.setblocking(False)
                if protocol == "tcp":
                    server.listen(4096)
                    loop.add_reader(server, on_tcp, server, port)
                else:
                    if family == socket.AF_INET:
                        server.setsockopt(socket.SOL_IP, IP_PKTINFO, 1)
                    loop.add_reader(server, on_udp, server, port, family)
                keep.append(server)


def opened(target):
    """A socket for one try, bound to its source, and to its interface where one is named."""
    family = socket.AF_INET6 if ":" in target["address"] else socket.AF_INET
    kind = socket.SOCK_STREAM if target["protocol"] == "tcp" else socket.SOCK_DGRAM
    probe = socket.socket(family, kind)
    probe.setblocking(False)
    if target.get("device"):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, target["device"].encode())
    if target.get("source"):
        probe.bind((target["source"], 0))
    return probe


async def answer(loop, probe, target):
    """What the other end says; it says its name, and whom it sees."""
    scope = socket.if_nametoindex(target["device"]) if ":" in target["address"] else None
    address = (target["address"], target["port"]) + (() if scope is None else (0, scope))
    await loop.sock_connect(probe, address)
    if target["protocol"] == "udp":
        await loop.sock_sendall(probe, b"?")
        return (await loop.sock_recv(probe, 2048)).decode().removesuffix(" ?")
    try:
        return (await loop.sock_recv(probe, 2048)).decode()
    except OSError:
        return "?"


async def attempt(loop, target, limit):
    """[answer or null, source port] of one try."""
    try:
        probe = opened(target)
    except OSError as error:
        return [None, 0, str(error)]
    try:
        said = await asyncio.wait_for(answer(loop, probe, target), limit)
        port = probe.getsockname()[1]
        return [said, port]
    except (OSError, asyncio.TimeoutError):
        return [None, probe.getsockname()[1]]
    finally:
        if target["protocol"] == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        probe.close()


async def probe(loop, request):
    targets, limit, results = request["targets"], request["timeout"], []
    for start in range(0, len(targets), AT_ONCE):
        part = targets[start : start + AT_ONCE]
        results += await asyncio.gather(*(attempt(loop, target, limit) for target in part))
    return results


async def ping(loop, request):
    """Whether an echo request is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as echo:
        echo.setblocking(False)
        if request.get("device"):
            echo.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, request["device"].encode())
        echo.bind((request["source"], 0))
        key = os.urandom(4)
        body = struct.pack("!BBH", ICMP_ECHO_REQUEST, 0, 0) + key
        packet = body[:2] + struct.pack("!H", checksum(body)) + body[4:]

        async def answered():
            await loop.sock_sendto(echo, packet, (request["address"], 0))
            while True:
                data = await loop.sock_recv(echo, 2048)
                if data[20:21] == b"\0" and data[24:28] == key:
                    return True

        try:
            return await asyncio.wait_for(answered(), request["timeout"])
        except (OSError, asyncio.TimeoutError):
            return False


async def run(_loop, request):
    """A command in this namespace."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*request["argv"], stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(request.get("input", "").encode())
    return {"code": process.returncode, "stdout": out.decode(), "stderr": err.decode()}


def sysctl(_loop, request):
    for name, value in request["values"].items():
        with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
            file.write(value)


async def stream(loop, request):
    """Tries the same over and over, until it is told to halt: a UDP conversation, and new TCP connections to [port, seconds to wait] each.

    @returns how many datagrams were sent and answered; of each TCP port, how many connections were tried and made; and how often a packet
    of those that were made had to be sent again.
    """
    halted.clear()
    counts = {"sent": 0, "answered": 0, "tried": {}, "made": {}, "again": 0}
    talk = opened({**request, "protocol": "udp"})
    await loop.sock_connect(talk, (request["address"], request["udp"]))

    async def hear():
        while True:
            await loop.sock_recv(talk, 2048)
            counts["answered"] += 1

    async def connect(port, limit):
        counts["tried"][port] = counts["tried"].get(port, 0) + 1
        counts["made"].setdefault(port, 0)
        with opened({**request, "protocol": "tcp"}) as one:
            try:
                await asyncio.wait_for(loop.sock_connect(one, (request["address"], port)), limit)
            except (OSError, asyncio.TimeoutError):
                return
            counts["made"][port] += 1
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_TOTAL_RETRANS + 4)
            counts["again"] += struct.unpack_from("=I", info, TCP_TOTAL_RETRANS)[0]

    hearing = asyncio.ensure_future(hear())
    tasks = []
    while not halted.is_set():
        if request["talk"]:
            await loop.sock_sendall(talk, b"?")
            counts["sent"] += 1
        tasks += [asyncio.ensure_future(connect(port, limit)) for port, limit in request["tcp"]]
        await asyncio.sleep(request["every"])
    await asyncio.gather(*tasks)
    for _ in range(50):
        if counts["answered"] >= counts["sent"]:
            break
        await asyncio.sleep(0.1)
    hearing.cancel()
    talk.close()
    return counts


def halt(_loop, _request):
    halted.set()


def take_seen(_loop, _request):
    taken = sorted(seen)
    seen.clear()
    return taken


OPERATIONS = {
    "listen": listen,
    "probe": probe,
    "ping": ping,
    "forge": forge,
    "arp": arp,
    "arp_answerer": arp_answerer,
    "run": run,
    "sysctl": sysctl,
    "stream": stream,
    "halt": halt,
    "seen": take_seen,
}


async def serve(loop, request):
    try:
        result = OPERATIONS[request["op"]](loop, request)
        if asyncio.iscoroutine(result):
            result = await result
        said = {"id": request["id"], "result": result}
    except Exception as error:  # Whatever it is, the scenario hears of it.
        said = {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    print(json.dumps({"id": 0, "result": os.getpid()}), flush=True)
    while line := await reader.readline():
        task = asyncio.ensure_future(serve(loop, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
asyncio.run(main())
