#!/usr/bin/env python3
"""Stands in for the `vllm` command where tests need a server at once: the same words, environment, log and routes.

FAKE_VLLM: "dies" while it loads, "stays" when it is asked to end (then only SIGKILL ends it), else serves. Like vLLM
it has a process of its own below it; both leave their numbers in FAKE_PIDS.
"""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

words = sys.argv[1:]
mode = os.environ.get("FAKE_VLLM", "")


def values(option):
    """What follows an option."""
    start = words.index(option) + 1
    end = next((i for i in range(start, len(words)) if words[i].startswith("--")), len(words))
    return words[start:end]


below = subprocess.Popen(
    [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
)
told = {"pids": [os.getpid(), below.pid], "words": words, "host_ip": os.environ.get("VLLM_HOST_IP")}
Path(os.environ["FAKE_PIDS"]).write_text(json.dumps(told))
print("INFO [model.py:733] Resolved architecture: LlamaForCausalLM", flush=True)
if mode == "dies":
    time.sleep(0.5)
    print("(Worker pid=7) ERROR [core.py:1] \x1b[31mValueError: no room for the KV cache\x1b[0m", flush=True)
    print("RuntimeError: Engine core initialization failed. See root cause above.", flush=True)
    os.kill(below.pid, signal.SIGKILL)
    sys.exit(3)
if mode == "stays":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
bases = values("--served-model-name")
loras = values("--lora-modules") if "--lora-modules" in words else []
loras = [json.loads(m)["name"] if "," in m else m.partition("=")[0] for m in loras]  # as vLLM reads them
models = [{"id": name, "parent": None} for name in bases] + [{"id": name, "parent": bases[0]} for name in loras]


class Handler(BaseHTTPRequestHandler):
    """/health for all, the rest for who has the key."""

    def do_GET(self):
        """Answer."""
        allowed = self.headers.get("Authorization") == f"Bearer {os.environ['VLLM_API_KEY']}"
        status = 200 if self.path == "/health" or allowed else 401
        body = json.dumps({"object": "list", "data": models} if status == 200 else {"error": "Unauthorized"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


print("INFO [cpu_model_runner.py:68] Starting to load model", flush=True)
time.sleep(0.5)
print("INFO [entry.py:140] Starting vLLM server", flush=True)
ThreadingHTTPServer((values("--host")[0], int(values("--port")[0])), Handler).serve_forever()
