#!/usr/bin/env python3
"""A web server on loopback that does what good and bad servers do, for import_url.pl.

http_server.py DIRECTORY: binds one free port for each name below, writes them to DIRECTORY/ports ("name port" a line),
and each request to DIRECTORY/requests ("name path header=value ..."). Ports named tls_* use DIRECTORY/NAME.crt and .key.
Ends when its standard input does.
"""
import gzip
import json
import os
import socket
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse

NAMES = ["main", "other", "tls_good", "tls_wrong_host", "tls_expired", "tls_self_signed", "tls_old"]
CSV = b"id,name\n1,one\n2,two\n3,three\n"
directory = sys.argv[1]
requests = open(os.path.join(directory, "requests"), "a", buffering=1)
tries = {}


def answer(h, body=CSV, status="200 OK", kind="text/csv", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    if kind:
        lines.append(f"Content-Type: {kind}")
    h.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def raw(h, head, body=b""):
    h.send(("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n" + head + "\r\n\r\n").encode() + body)


def answer_json(h, value, headers=()):
    answer(h, json.dumps(value).encode(), kind="application/json", headers=headers)


# ---- those that behave

def ok(h):
    answer(h)


def as_type(h):
    answer(h, h.query["body"].encode() if "body" in h.query else CSV, kind=h.query.get("type"))


def body_gzip(h):
    answer(h, gzip.compress(CSV), headers=["Content-Encoding: gzip"])


def file_gzip(h):
    answer(h, gzip.compress(CSV), kind="application/gzip")


def chunked(h):
    raw(h, "Transfer-Encoding: chunked", b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (CSV[:5], CSV[5:])) + b"0\r\n\r\n")


def large(h):
    n = int(h.query["rows"])
    answer(h, b"id,name\n" + b"".join(b"%d,name of %d\n" % (i, i) for i in range(n)))


def echo(h):
    names = [n for n in h.headers if n in ("authorization", "cookie", "x-key", "x-empty", "user-agent", "accept-encoding")]
    answer(h, b"header,value\n" + b"".join(b'%s,"%s"\n' % (n.encode(), h.headers[n].encode()) for n in sorted(names)))


def needs_token(h):
    if h.headers.get("authorization") in ("Bearer sesame", "Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ=="):
        answer(h)
    else:
        answer(h, b"who are you?\nsecond line \x01\xff", "401 Unauthorized", "text/plain")


def tells(h):
    answer(h, b"wrong token: " + h.headers["authorization"].encode(), "403 Forbidden", "text/plain")


def flaky(h):
    """Fails the first n times, by the status or by closing."""
    key, n = h.query["key"], int(h.query["n"])
    tries[key] = tries.get(key, 0) + 1
    if tries[key] > n:
        answer(h)
    elif "status" in h.query:
        wait = [f"Retry-After: {h.query['after']}"] if "after" in h.query else []
        answer(h, b"busy", h.query["status"] + " X", "text/plain", wait)
    else:
        raw(h, "Content-Length: 1000", CSV)


def redirect(h):
    answer(h, b"", h.query.get("status", "302") + " X", None, ["Location: " + h.query["to"]])


def redirect_loop(h):
    answer(h, b"", "307 X", None, ["Location: redirect_loop"])


# ---- pages

def page_by_number(h):
    page, step = int(h.query["page"]), int(h.query.get("step", "1"))
    rows = [{"id": i, "name": f"row {i}"} for i in range(page * 2, page * 2 + 2)] if page < 3 * step else []
    if h.query.get("format") == "csv":
        answer(h, b"id,name\n" + b"".join(b"%d,%s\n" % (r["id"], r["name"].encode()) for r in rows))
    else:
        answer_json(h, rows)


def page_by_link(h):
    page = int(h.query.get("page", "1"))
    value = {"items": [{"id": page, "x": page / 2}], "meta": {"next": f"?page={page + 1}" if page < 3 else None}}
    answer_json(h, value)


def page_by_header(h):
    page = int(h.query.get("page", "1"))
    links = [f'Link: <{h.path}?page=1>; rel="first"']
    if page < 3:
        links.append(f'Link: <{h.path}?page={page + 1}>; rel="next"')
    header = "id,name" if page != 3 or "bad" not in h.path else "id,other"
    answer(h, f"{header}\n{page},p{page}".encode(), headers=links)


def page_by_cursor(h):
    cursor = h.query.get("after", "start")
    following = {"start": "a b&c", "a b&c": 7, "7": ""}[cursor]
    answer_json(h, {"rows": [{"at": cursor}], "cursor": following})


def page_circle(h):
    answer_json(h, {"rows": [{"a": 1}], "next": "/page_circle?x=1"})


def page_endless(h):
    page = int(h.query.get("page", "1"))
    answer_json(h, {"rows": [{"a": page}], "next": f"/page_endless?page={page + 1}"})


def page_same(h):
    answer_json(h, [{"a": 1}])


def page_away(h):
    answer_json(h, {"rows": [{"a": 1}], "next": h.query["to"]})


def page_cut(h):
    page = int(h.query.get("page", "1"))
    answer(h, b'[{"a": 1}]' if page == 1 else b'[{"a": ', kind="application/json")


# ---- those that do not

def hang(h):
    h.wait()


def hang_in_body(h):
    raw(h, "Content-Length: 1000", CSV)
    h.wait()


def drip(h):
    raw(h, "Content-Length: 1000000")
    while not h.wait(0.3):
        h.send(b"x")


def cut(h):
    raw(h, "Content-Length: 1000", CSV)


def cut_chunk(h):
    raw(h, "Transfer-Encoding: chunked", b"%x\r\n%s" % (len(CSV) + 10, CSV))


def bad_chunk(h):
    raw(h, "Transfer-Encoding: chunked", b"zz\r\n" + CSV)


def says_less(h):
    raw(h, "Content-Length: 14", CSV)


def says_10_gb(h):
    raw(h, f"Content-Length: {10 * 2**30}", CSV)
    h.wait()


def says_nonsense(h):
    raw(h, "Content-Length: many", CSV)


def no_length(h):
    raw(h, "Connection: close", CSV)


def endless(h):
    raw(h, "Transfer-Encoding: chunked")
    piece = b"1,x\n" * 16384
    while not h.ended:
        h.send(b"%x\r\n%s\r\n" % (len(piece), piece))


def gzip_cut(h):
    answer(h, gzip.compress(CSV)[:-10], headers=["Content-Encoding: gzip"])


def gzip_bomb(h):
    answer(h, gzip.compress(b"a\n" + b"1\n" * 50_000_000, 9), headers=["Content-Encoding: gzip"])


def brotli(h):
    answer(h, b"\x8b\x0d\x80", headers=["Content-Encoding: br"])


def close(h):
    pass


def garbage(h):
    h.send(b"id,name\n1,one\n")


def binary(h):
    h.send(bytes(range(256)) * 100)


def many_headers(h):
    h.send(b"HTTP/1.1 200 OK\r\n")
    while not h.ended:
        h.send(b"X-Filler: " + b"x" * 1000 + b"\r\n")


def endless_continue(h):
    while not h.ended:
        h.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def error_page(h):
    answer(h, b"<html>\n" + b"long " * 100_000, "500 Internal Server Error", "text/html")


def partial(h):
    answer(h, status="206 Partial Content")


def nothing(h):
    answer(h, b"", "204 No Content", None)


class Handler(socketserver.BaseRequestHandler):
    ended = False

    def send(self, data):
        try:
            self.request.sendall(data)
        except OSError:
            self.ended = True

    def wait(self, seconds=60):
        """Until the other side closes; True: it did."""
        self.request.settimeout(seconds)
        try:
            return self.request.recv(1) == b""
        except (socket.timeout, ssl.SSLError):
            return False
        except OSError:
            return True

    def handle(self):
        data = b""
        if self.server.tls:
            try:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            except OSError:
                return
        while b"\r\n\r\n" not in data:
            piece = self.request.recv(65536)
            if not piece:
                return
            data += piece
        lines = data.split(b"\r\n\r\n")[0].decode("latin1").split("\r\n")
        target = lines[0].split(" ")[1]
        self.headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        secret = self.headers.get("authorization", "-").replace(" ", "_")
        requests.write(f"{self.server.name} {target} authorization={secret}\n")
        what = globals().get(self.path.strip("/").split("/")[0].split(".")[0])
        if callable(what):
            what(self)
        else:
            answer(self, b"there is no such page", "404 Not Found", "text/plain")
        self.request.close()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


def main():
    ports = {}
    for name in NAMES:
        server = Server(("127.0.0.1", 0), Handler)
        server.name, server.tls = name, None
        if name.startswith("tls_"):
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            pair = "tls_good" if name == "tls_old" else name
            server.tls.load_cert_chain(f"{directory}/{pair}.crt", f"{directory}/{pair}.key")
            if name == "tls_old":
                server.tls.set_ciphers("ALL:@SECLEVEL=0")
                server.tls.minimum_version = server.tls.maximum_version = ssl.TLSVersion.TLSv1_1
        ports[name] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(f"{directory}/ports.new", "w") as out:
        out.writelines(f"{name} {port}\n" for name, port in ports.items())
    os.rename(f"{directory}/ports.new", f"{directory}/ports")
    sys.stdin.read()
    os._exit(0)


main()
