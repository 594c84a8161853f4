# Answers each datagram with the same text in upper case, as it is written with
# asyncio's protocols. Prints its port, and serves until it is killed.
import asyncio


class UpperCase(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        print(transport.get_extra_info("sockname")[1], flush=True)

    def datagram_received(self, data, sender):
        self.transport.sendto(data.decode().upper().encode(), sender)


async def main():
    loop = asyncio.get_running_loop()
    at = ("127.0.0.1", 0)
    await loop.create_datagram_endpoint(UpperCase, local_addr=at)
    await asyncio.Event().wait()


asyncio.run(main())
