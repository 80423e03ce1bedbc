"""p2p_chat.py in other words: the same numbers in its menu, and other questions."""
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
    name = input("Who are you? ").strip()
    input("Your IP address: ")
    own = int(input("Port number?\n> "))
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", own))
    server.listen(64)
    print(f"listening on port {own}", flush=True)
    threading.Thread(target=listen, args=(server,), daemon=True).start()
    while True:
        print("\n[1] Write to somebody\n[2] Neighbours\n[3] Greet whoever is there\n[4] Tell everybody\n[0] Enough", flush=True)
        choice = input("# ").strip()
        if choice == "1":
            ip, _, port = input("To whom (IP:PORT)? ").strip().partition(":")
            text = input("What do you say? ")
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
            text = input("What do you want to say?\n> ")
            for (ip, port), _ in known():
                send(ip, port, name, own, text)
        elif choice == "0":
            for (ip, port), _ in known():
                send(ip, port, name, own, "exit")
            print("bye", flush=True)
            return


if __name__ == "__main__":
    main()
