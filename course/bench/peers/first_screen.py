# first_screen.py WORD COMMAND...: runs COMMAND in a terminal, and prints how
# many milliseconds go by until WORD is on the screen. Then it presses "q".
import os
import pty
import select
import sys
import time

PATIENCE = 20.0

word, command = sys.argv[1].encode(), sys.argv[2:]
began = time.monotonic()
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm-256color"
    os.execvp(command[0], command)


def read():
    """What has come; nothing at all when the terminal is gone."""
    if not select.select([terminal], [], [], PATIENCE)[0]:
        os.kill(child, 9)
        sys.exit("Cannot find the word on the screen")
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


shown = b""
while word not in shown:
    piece = read()
    if not piece:
        sys.exit("Cannot find the word: the program ended")
    shown += piece
print(f"{(time.monotonic() - began) * 1000:.1f}", flush=True)
os.write(terminal, b"q")
while read():
    pass
os.waitpid(child, 0)
