#!/usr/bin/env python3
"""mute.py ADDRESS PORT [GREETING]: accepts connections, greets, and never says more."""

import socket
import sys

listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
greeting = (sys.argv[3] + "\r\n").encode() if len(sys.argv) > 3 else b""
held = []
while True:
    held.append(listener.accept()[0])
    held[-1].sendall(greeting)
