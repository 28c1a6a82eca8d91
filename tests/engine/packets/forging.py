"""Packets that no socket would make: with addresses of others, overlay packets, and ARP."""

import asyncio
import socket
import struct

ETH_P_ARP = 0x0806
keep = []


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_packet(source, destination, sport, dport, payload):
    """An IPv4 packet with a UDP datagram, from whoever it says."""
    datagram = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    pseudo = ends + struct.pack("!BBH", 0, socket.IPPROTO_UDP, len(datagram))
    total = checksum(pseudo + datagram) or 0xFFFF
    datagram = datagram[:6] + struct.pack("!H", total) + datagram[8:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0)
    return head[:10] + struct.pack("!H", checksum(head + ends)) + ends + datagram


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def vxlan_payload(request, inner):
    """An overlay packet as flannel's kernel device makes it: VXLAN header, Ethernet frame to the other VTEP, the packet."""
    header = struct.pack("!II", 0x08000000, request["vni"] << 8)
    return header + mac(request["to_mac"]) + mac("02:00:00:00:00:99") + b"\x08\x00" + inner


def forge(_loop, request):
    """Sends packets with the addresses that it is told, through the kernel's routing or (with `next_hop_mac`) as frames."""
    inner = None
    if request.get("inner"):
        inner = udp_packet(**request["inner"], payload=b"forged")
    payload = vxlan_payload(request, inner) if inner else b"forged"
    packet = udp_packet(request["source"], request["destination"], request["sport"], request["dport"], payload)
    device = request["device"]
    if request.get("next_hop_mac"):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind((device, 0))
            own = wire.getsockname()[4]
            wire.send(mac(request["next_hop_mac"]) + own + b"\x08\x00" + packet)
        return
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        raw.sendto(packet, (request["destination"], 0))


def arp_answerer(loop, request):
    """Answers ARP for one address on the named interfaces, as a MetalLB speaker does."""
    wanted = socket.inet_aton(request["address"])

    def on_frame(wire):
        frame = wire.recv(2048)
        operation, target = frame[20:22], frame[38:42]
        if operation != b"\x00\x01" or target != wanted:
            return
        own = wire.getsockname()[4]
        reply = frame[6:12] + own + frame[12:20] + b"\x00\x02" + own + wanted + frame[22:32]
        wire.send(reply)

    for device in request["devices"]:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
        wire.bind((device, ETH_P_ARP))
        wire.setblocking(False)
        loop.add_reader(wire, on_frame, wire)
        keep.append(wire)


async def arp(loop, request):
    """The MAC addresses that answer for an address on a wire."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP)) as wire:
        wire.bind((request["device"], ETH_P_ARP))
        wire.setblocking(False)
        own = wire.getsockname()[4]
        ends = own + socket.inet_aton(request["source"]) + b"\0" * 6 + socket.inet_aton(request["address"])
        wire.send(b"\xff" * 6 + own + struct.pack("!HHHBBH", ETH_P_ARP, 1, 0x0800, 6, 4, 1) + ends)
        found = set()

        async def collect():
            while True:
                frame = await loop.sock_recv(wire, 2048)
                if frame[20:22] == b"\x00\x02" and frame[28:32] == socket.inet_aton(request["address"]):
                    found.add(frame[22:28].hex(":"))

        try:
            await asyncio.wait_for(collect(), request["timeout"])
        except asyncio.TimeoutError:
            pass
        return sorted(found)
