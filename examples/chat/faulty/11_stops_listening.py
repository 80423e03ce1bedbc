"""p2p_chat.py with one fault: whoever connects and says nothing is the last that it listens to."""
import socket
import threading

peers = {}  # (ip, port) -> name
lock = threading.Lock()


def receive(conn, addr):
    """One message, in however many segments it comes; then the connection ends."""
    conn.settimeout(2)
    data = b""
    try:
        while len(data) < 65536:
            part = conn.recv(4096)
            if not part:
                break
            data += part
            conn.settimeout(0.5)
    except OSError:
        pass
    conn.close()
    words = data.decode("utf-8", errors="replace").strip().split(" ", 2)
    if len(words) < 2 or ":" not in words[0]:
        return
    ip, _, port = words[0].rpartition(":")
    if not port.isdigit():
        return
    name, text = words[1], words[2] if len(words) > 2 else ""
    key = (addr[0], int(port))
    with lock:
        if text.lower() == "exit":
            peers.pop(key, None)
            print(f"\n[{name} has left]", flush=True)
            return
        peers[key] = name
    if text.lower() != "connect":
        print(f"\n[{name}] {text}", flush=True)


def listen(server):
    while True:
        conn, addr = server.accept()
        if not conn.recv(1, socket.MSG_PEEK):
            server.close()
            return
        threading.Thread(target=receive, args=(conn, addr), daemon=True).start()


def send(ip, port, name, own, text):
    """True if it was written."""
    try:
        with socket.create_connection((ip, port), timeout=3) as conn:
            conn.sendall(f"127.0.0.1:{own} {name} {text}".encode())
        with lock:
            peers.setdefault((ip, port), "?")
        return True
    except OSError as error:
        print(f"cannot reach {ip}:{port}: {error}", flush=True)
        with lock:
            peers.pop((ip, port), None)
        return False


def known():
    with lock:
        return sorted(peers.items())


def main():
    name = input("Enter your team name: ").strip()
    own = int(input("Enter the port to listen on: "))
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", own))
    server.listen(64)
    print(f"listening on port {own}", flush=True)
    threading.Thread(target=listen, args=(server,), daemon=True).start()
    while True:
        print("\n1. Send a message\n2. List the peers\n3. Connect to all peers\n4. Broadcast\n0. Quit", flush=True)
        choice = input("Your choice: ").strip()
        if choice == "1":
            ip = input("Enter the recipient's IP: ").strip()
            port = input("Enter the recipient's port: ").strip()
            text = input("Enter your message: ")
            if port.isdigit() and send(ip, int(port), name, own, text):
                print("sent", flush=True)
        elif choice == "2":
            found = known()
            print("\n".join(f"{who} {ip}:{port}" for (ip, port), who in found) or "nobody", flush=True)
        elif choice == "3":
            for (ip, port), _ in known():
                if send(ip, port, name, own, "connect"):
                    print(f"connected to {ip}:{port}", flush=True)
        elif choice == "4":
            text = input("Enter your message: ")
            for (ip, port), _ in known():
                send(ip, port, name, own, text)
        elif choice == "0":
            for (ip, port), _ in known():
                send(ip, port, name, own, "exit")
            print("bye", flush=True)
            return


if __name__ == "__main__":
    main()
