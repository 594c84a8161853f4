# Takes one connection, and answers each message in upper case.
import socket
import sys

from messages import receive_message, send_message

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    print("listening", flush=True)
    conn, _ = listener.accept()
    with conn:
        try:
            while True:
                send_message(conn, receive_message(conn).upper())
        except ConnectionError as error:
            print(error)
