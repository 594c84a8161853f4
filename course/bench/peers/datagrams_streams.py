# Answers each datagram with the same text in upper case. asyncio has no streams
# for datagrams; this is its nearest: one loop that waits. Prints its port, and
# serves until it is killed.
import asyncio
import socket


async def main():
    loop = asyncio.get_running_loop()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setblocking(False)
    server.bind(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    while True:
        data, sender = await loop.sock_recvfrom(server, 65507)
        await loop.sock_sendto(server, data.decode().upper().encode(), sender)


asyncio.run(main())
